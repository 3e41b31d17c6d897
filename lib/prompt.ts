/**
 * The prompts of generation and captioning, as token sequences.
 *
 * ```text
 * generate   BOS text BOI H*W IMG                                       ┐ picture
 * chat       BOS "You are a helpful assistant. USER: " picture… text ". ASSISTANT:" (" " answer)
 * base       BOS picture… text (answer)
 * text only  the same without pictures, encoded as one text
 * picture =  BOI H*W IMG row EOL row EOL … EOF EOI
 * ```
 *
 * User text is encoded as ordinary text: the name of a special token in it does
 * not become that token. Source: emu3/mllm/processing_emu3.py of
 * baaivision/Emu3.
 *
 * @module
 */

import type { Template } from "../models/config/generation_config.ts";
import type { Prompt } from "./engine/sequence.ts";
import { PromptTooLongError } from "./errors.ts";
import {
  type CodeGrid,
  gridLength,
  type GridSize,
  gridTokens,
} from "./grid.ts";
import type { EncodeTurn, TextTokenizer } from "./text/text_tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The parts of a tokenizer that prompts need. */
export interface PromptWriter {
  /** The encoder of text to tokens. */
  readonly text: Pick<TextTokenizer, "encode">;
  /** The vocabulary of special tokens and codes. */
  readonly vocabulary: Vocabulary;
}

/** Returns a writer that encodes each text with `turn`. */
export function writerFor(
  { text, vocabulary }: PromptWriter,
  turn: EncodeTurn,
): PromptWriter {
  const encode: TextTokenizer["encode"] = (string, options) =>
    text.encode(string, { special: false, ...options, ...turn });
  return { text: { encode }, vocabulary };
}

/** The system prompt of a chat model. */
export const SYSTEM = "You are a helpful assistant.";

/** The template's texts around pictures, question and answer. */
interface Wording {
  readonly before: string;
  readonly after: string;
  /**
   * Separator before the answer; the model writes it, since its first token
   * begins with it.
   */
  readonly separator: string;
}

/** The texts of each template. */
const WORDING: Readonly<Record<Template, Wording>> = {
  chat: {
    before: `${SYSTEM} USER: `,
    after: ". ASSISTANT:",
    separator: " ",
  },
  base: { before: "", after: "", separator: "" },
};

/** Returns the separator between the prompt of a question and its answer. */
export function answerSeparator(template: Template): string {
  return WORDING[template].separator;
}

/** Returns the prompt of a picture, up to its first code. */
export async function drawingPrompt(
  { text, vocabulary }: PromptWriter,
  prompt: string,
  size: GridSize,
): Promise<Int32Array<ArrayBuffer>> {
  const { bos } = vocabulary;
  return joined([
    [bos],
    await text.encode(prompt),
    await pictureStart({ text, vocabulary }, size),
  ]);
}

/**
 * Returns the prompt of a question about `grids`, or of text alone if there are
 * none. Its prefix boundaries are after the text before the pictures and after
 * each picture.
 */
export async function questionPrompt(
  { text, vocabulary }: PromptWriter,
  grids: readonly CodeGrid[],
  question: string,
  template: Template,
): Promise<Prompt> {
  const { before, after } = WORDING[template];
  if (grids.length === 0) {
    // Encoded as one text, as in training: without a picture in between, the
    // space after "USER:" is part of the next token.
    const words = await text.encode(`${before}${question}${after}`);
    const tokens = joined([[vocabulary.bos], words]);
    return { tokens, prefixBoundaries: [tokens.length] };
  }
  const shared = [joined([[vocabulary.bos], await text.encode(before)])];
  for (const grid of grids) {
    const start = await pictureStart({ text, vocabulary }, grid);
    shared.push(joined([start, gridTokens(grid, vocabulary)]));
  }
  const rest = Int32Array.from(await text.encode(`${question}${after}`));
  const parts = rest.length === 0 ? shared : [...shared, rest];
  let length = 0;
  return {
    tokens: joined(parts),
    prefixBoundaries: parts.map((part) => length += part.length),
  };
}

/** Returns `BOI H*W IMG`. */
export async function pictureStart(
  writer: PromptWriter,
  { height, width }: GridSize,
): Promise<number[]> {
  return await opening(writer, `${height}*${width}`);
}

/** Returns `BOI meta IMG`, the opening of a picture or a clip. */
export async function opening(
  { text, vocabulary: { boi, img } }: PromptWriter,
  meta: string,
): Promise<number[]> {
  return [boi, ...await text.encode(meta), img];
}

/** Returns the tokens of all parts, in order. */
export function joined(
  parts: readonly ArrayLike<number>[],
): Int32Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const tokens = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    tokens.set(part, at);
    at += part.length;
  }
  return tokens;
}

/**
 * Checks that the codes of pictures alone fit into a context; if they do not, a
 * shorter text is no remedy.
 *
 * @param contextLength Context length of the checkpoint, in tokens.
 * @throws {PromptTooLongError} If the pictures do not fit.
 */
export function requireGridsFit(
  grids: readonly GridSize[],
  contextLength: number,
): void {
  const tokens = grids.reduce((sum, grid) => sum + gridLength(grid), 0);
  requireTokensFit(tokens, contextLength);
}

/**
 * Checks that the tokens of pictures or of a clip fit into a context with a
 * prompt.
 *
 * @throws {PromptTooLongError} If they do not fit.
 */
export function requireTokensFit(tokens: number, contextLength: number): void {
  if (tokens < contextLength) return;
  throw new PromptTooLongError(tokens, contextLength, tokens);
}
