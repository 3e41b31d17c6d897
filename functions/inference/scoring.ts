/**
 * The scoring run: the likelihood of a picture or an answer, from fields to
 * JSON.
 *
 * @module
 */

import type { DrawnClip } from "../../lib/clip_layout.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import { type Score, scoreAnswer, scorePicture } from "../../lib/scoring.ts";
import { answeredName, chosenAdapter } from "./adapters.ts";
import type { Call } from "../http/call.ts";
import { clipGenerator } from "./clips/clip_context.ts";
import { holdsClip } from "./clips/scored_clip.ts";
import { tokenScoreFields } from "./generation_fields.ts";
import type { FunctionName } from "../schema/common.ts";
import type {
  Captioners,
  ImageGenerators,
  ModelPair,
} from "../models/ports.ts";
import {
  type FieldError,
  InvalidFieldsError,
  NotFoundError,
} from "../http/errors/errors.ts";
import { DEFAULT_QUESTION } from "../schema/caption.ts";
import type { ScoreAnswer } from "../schema/answers/score.ts";
import type { ScoreRequest } from "../schema/score.ts";
import { timingsFrom } from "../http/server_timing.ts";

/** The models of `score`. */
export interface Scorers extends ImageGenerators, Captioners {}

/** The fields of a body without its pictures. */
export type ScoreFields = Omit<
  ScoreRequest,
  "image" | "images" | "grid" | "grids" | "clip" | "frames" | "decode"
>;

/**
 * A kind of scoring: a picture given its prompt, or an answer given its
 * question.
 */
export type ScoreKind = "prompt" | "text";

/** The function that a kind belongs to. */
const FUNCTION: Readonly<Record<ScoreKind, FunctionName>> = {
  prompt: "generate",
  text: "caption",
};

/** The fields that belong to the other kind alone. */
const STRAYS: Readonly<Record<ScoreKind, readonly (keyof ScoreRequest)[]>> = {
  prompt: ["question", "template", "images", "grids"],
  text: [
    "negative_prompt",
    "guidance_scale",
    "rows",
    "logprobs",
    "clip",
    "frames",
    "fps",
  ],
};

/**
 * Returns the kind of a body.
 *
 * @throws {InvalidFieldsError} If it is neither or both, or has a field without
 * effect.
 */
export function scoreKind(fields: ScoreRequest): ScoreKind {
  const { prompt, text } = fields;
  if ((prompt === undefined) === (text === undefined)) {
    throw new InvalidFieldsError([{
      pointer: "",
      detail:
        "expected either prompt, to score an image or a clip, or text, to score an answer",
    }]);
  }
  const kind = text === undefined ? "prompt" : "text";
  const strays = STRAYS[kind].filter((name) => fields[name] !== undefined);
  if (strays.length === 0) return kind;
  throw new InvalidFieldsError(strays.map((name): FieldError => ({
    pointer: `/${name}`,
    detail: `cannot be combined with ${kind}`,
  })));
}

/**
 * Returns the models of a kind of scoring.
 *
 * @throws {NotFoundError} If its function is disabled.
 * @throws {UnknownModelError} If there is no such model.
 * @throws {UnknownAdapterError} If there is no such adapter.
 */
export async function scoringModels(
  scorers: Scorers,
  functions: ReadonlySet<FunctionName>,
  kind: ScoreKind,
  { model, adapter, ...fields }: Pick<
    ScoreRequest,
    "model" | "adapter" | "clip" | "frames"
  >,
): Promise<ModelPair> {
  const name = FUNCTION[kind];
  if (!functions.has(name)) {
    throw new NotFoundError(
      `Cannot score by ${kind}: ${name} is disabled; add it to FUNCTIONS and restart the server`,
    );
  }
  const models = kind === "text"
    ? scorers.captioner(model)
    : holdsClip(fields)
    ? await clipGenerator(scorers, model)
    : scorers.imageGenerator(model);
  // Checked before pictures are encoded.
  chosenAdapter(models, adapter);
  return models;
}

/**
 * Scores a picture, a clip or an answer.
 *
 * @param grids Codes: one grid for a picture or all frames of a clip, one or
 * more for an answer.
 * @param clip Form and length of a clip.
 * @param visionMs Encoding time in milliseconds.
 */
export async function runScore(
  fields: ScoreFields,
  models: ModelPair,
  { grids, clip, visionMs }: {
    readonly grids: readonly CodeGrid[];
    readonly clip?: DrawnClip | undefined;
    readonly visionMs: number;
  },
  call: Call,
): Promise<ScoreAnswer> {
  const { language } = models;
  const { generation } = language;
  const adapter = chosenAdapter(models, fields.adapter);
  const [grid] = grids;
  const { prompt, text } = fields;
  const onQueued = () => call.observer?.accepted?.();
  const turn = { caller: call.caller, onQueued, adapter };
  const score = prompt !== undefined
    ? await scorePicture(
      language,
      {
        prompt,
        negativePrompt: fields.negative_prompt ?? generation.negativePrompt,
        guidanceScale: fields.guidance_scale ?? 1,
        grid: grid!,
        clip,
        strongest: fields.logprobs ?? 0,
      },
      call.signal,
      turn,
    )
    : await scoreAnswer(
      language,
      {
        grids,
        question: fields.question ?? DEFAULT_QUESTION,
        template: fields.template ?? generation.template,
        text: text!,
      },
      call.signal,
      turn,
    );
  call.observer?.finished?.({ tokens: score.logprobs.length });
  const worked = prompt === undefined ? "completion_tokens" : "image_tokens";
  const logprob = sum(score.logprobs);
  return {
    model: answeredName(models, adapter),
    logprob,
    tokens: score.logprobs.length,
    "logprob_per_token": logprob / score.logprobs.length,
    ...(fields.rows && { rows: partSums(score, grid!.height) }),
    ...(clip && { frames: partSums(score, clip.frames) }),
    ...(fields.logprobs && { logprobs: scoredRows(score, grid!) }),
    usage: {
      "prompt_tokens": score.usage.promptTokens,
      [worked]: score.usage.newTokens,
      forwards: score.statistics.forwards,
    },
    timings: timingsFrom(score.statistics, visionMs),
  };
}

/** Returns the sums of as many equal parts: rows, or frames. */
function partSums({ logprobs }: Score, parts: number): number[] {
  const length = logprobs.length / parts;
  return Array.from(
    { length: parts },
    (_, i) => sum(logprobs.slice(i * length, (i + 1) * length)),
  );
}

function scoredRows({ scores }: Score, { height, width }: CodeGrid) {
  const fields = scores.map(tokenScoreFields);
  return Array.from(
    { length: height },
    (_, y) => fields.slice(y * width, (y + 1) * width),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
