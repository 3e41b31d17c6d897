/**
 * The recommended settings of a checkpoint, from its `generation_config.json`.
 *
 * `negative_prompt`, `template`, `examples`, `max_images`, `text_only`,
 * `subjects`, `known_words` and the settings of clips are this project's
 * additions to that file. Its defaults are those that the Emu3 authors publish:
 * guidance 3, top-k 2048 and their negative prompt (README of baaivision/Emu3).
 *
 * @module
 */

import * as v from "valibot";
import { type ClipConfig, parseClipConfig } from "./clip_config.ts";
import { orDefault, parseFields, Positive, TokenIds } from "./fields.ts";

/** The template of a question about a picture. */
export type Template = "chat" | "base";

/** Recommended settings of a checkpoint. */
export interface GenerationConfig {
  /** Guidance scale; 1 for none. */
  readonly guidanceScale: number;
  /** Prompt of the unconditional branch. */
  readonly negativePrompt: string;
  /** Temperature; 0 for the most probable code. */
  readonly temperature: number;
  /** Number of the most probable codes to keep; 0 for all. */
  readonly topK: number;
  /** Cumulative probability of the codes to keep, in (0, 1]. */
  readonly topP: number;
  /** Template of questions. */
  readonly template: Template;
  /** Prompts that work well. */
  readonly examples: readonly string[];
  /** Maximum number of pictures of one question in the model's training. */
  readonly maxImages: number;
  /** True for a model that also answers questions without a picture. */
  readonly textOnly: boolean;
  /** Subjects that the model can draw, if they are few; else empty. */
  readonly subjects: readonly string[];
  /** Words that it was trained on, lower case; empty if not listed. */
  readonly knownWords: readonly string[];
  /** Ids of tokens other than EOS that end an answer. */
  readonly endTokens: readonly number[];
  /** Settings of clips; undefined for a checkpoint that draws none. */
  readonly clips?: ClipConfig | undefined;
}

/** The negative prompt that the Emu3 authors publish. */
export const PUBLISHED_NEGATIVE_PROMPT =
  "lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, fewer digits, cropped, worst quality, low quality, normal quality, jpeg artifacts, signature, watermark, username, blurry.";

const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));

const Fields = v.looseObject({
  guidance_scale: orDefault(v.pipe(v.number(), v.minValue(1)), 3),
  negative_prompt: orDefault(v.string(), PUBLISHED_NEGATIVE_PROMPT),
  temperature: orDefault(v.pipe(v.number(), v.minValue(0)), 1),
  top_k: orDefault(Whole, 2048),
  top_p: orDefault(v.pipe(Positive, v.maxValue(1)), 1),
  template: orDefault(v.picklist(["chat", "base"]), "chat"),
  examples: orDefault(v.array(v.string()), []),
  max_images: orDefault(v.pipe(Whole, v.minValue(1)), 1),
  text_only: orDefault(v.boolean(), true),
  subjects: orDefault(v.array(v.string()), []),
  known_words: orDefault(v.array(v.string()), []),
  eos_token_id: orDefault(TokenIds, []),
});

/**
 * Parses a `generation_config.json`; `{}` stands for a missing file.
 *
 * @throws {SyntaxError} If a field is invalid.
 */
export function parseGenerationConfig(json: unknown): GenerationConfig {
  const fields = parseFields(Fields, json);
  const clips = parseClipConfig(json);
  return {
    guidanceScale: fields.guidance_scale,
    negativePrompt: fields.negative_prompt,
    temperature: fields.temperature,
    topK: fields.top_k,
    topP: fields.top_p,
    template: fields.template,
    examples: fields.examples,
    maxImages: fields.max_images,
    textOnly: fields.text_only,
    subjects: fields.subjects,
    knownWords: fields.known_words,
    endTokens: fields.eos_token_id,
    ...(clips && { clips }),
  };
}
