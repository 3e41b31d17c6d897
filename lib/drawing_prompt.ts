/**
 * The prompts of a drawing: text, the opening of the picture or clip, and the
 * rows that are given or were drawn before.
 *
 * @module
 */

import { clipLayout, clipStart, type DrawnClip } from "./clip_layout.ts";
import {
  pictureLayout,
  rowsAsTokens,
  type TokenLayout,
} from "./drawing/token_layout.ts";
import type { Prompt } from "./engine/sequence.ts";
import type { CodeGrid, GridSize } from "./grid.ts";
import { joined, pictureStart, type PromptWriter } from "./prompt.ts";

/** The parameters that the prompts of a drawing depend on. */
export interface PromptedParams {
  /** The prompt, used verbatim. */
  readonly prompt: string;
  /** Prompt of the unconditional branch. */
  readonly negativePrompt: string;
  /** The guidance scale; 1 runs no unconditional branch. */
  readonly guidanceScale: number;
  /** Size of the picture, in codes; of all frames of a clip together. */
  readonly size: GridSize;
  /** Given rows, fewer than `size` has; of a clip, whole frames. */
  readonly prefix: CodeGrid | undefined;
  /** The clip that is drawn; undefined for a picture. */
  readonly clip?: DrawnClip | undefined;
}

/** The token ids of the prompts of a generation. */
export interface PromptTokens {
  /** Tokens of the prompt, given rows included. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** Tokens of the unconditional branch's prompt. */
  readonly unconditional: Int32Array<ArrayBuffer> | undefined;
}

/** Returns the token layout of a drawing. */
export async function drawingLayout(
  writer: PromptWriter,
  { size, clip }: Pick<PromptedParams, "size" | "clip">,
): Promise<TokenLayout> {
  return clip === undefined
    ? pictureLayout(size, writer.vocabulary)
    : await clipLayout(writer, clip, size);
}

/**
 * Returns the prompts of a generation.
 *
 * @param rows Rows at the end of the prompts, from the top: the given ones by
 * default.
 */
export async function drawingTokens(
  writer: PromptWriter,
  params: PromptedParams,
  rows: CodeGrid | undefined = params.prefix,
): Promise<PromptTokens> {
  const [tokens, unconditional] = await drawingPrompts(writer, params, rows);
  return { tokens: tokens!.tokens, unconditional: unconditional?.tokens };
}

/**
 * Returns the prompts of a generation in the engine's form; arguments as of
 * {@linkcode drawingTokens}.
 */
export async function drawingPrompts(
  writer: PromptWriter,
  params: PromptedParams,
  rows: CodeGrid | undefined = params.prefix,
): Promise<Prompt[]> {
  const [opening, ...after] = await drawingStart(writer, params, rows);
  const write = async (text: string): Promise<Prompt> => {
    const words = await writer.text.encode(text);
    const tokens = joined([[writer.vocabulary.bos], words, opening!, ...after]);
    const shared = 1 + words.length + opening!.length;
    return {
      tokens,
      prefixBoundaries: shared === tokens.length
        ? [shared]
        : [shared, tokens.length],
    };
  };
  return [
    await write(params.prompt),
    ...params.guidanceScale === 1 ? [] : [await write(params.negativePrompt)],
  ];
}

/** Returns the opening, and the rows after it. */
async function drawingStart(
  writer: PromptWriter,
  params: PromptedParams,
  rows: CodeGrid | undefined,
): Promise<readonly ArrayLike<number>[]> {
  const { size, clip, prefix } = params;
  const layout = await drawingLayout(writer, params);
  const known = rows ??
    { height: 0, width: size.width, codes: new Uint16Array() };
  if (clip === undefined) {
    return [
      await pictureStart(writer, size),
      rowsAsTokens(layout, known, writer.vocabulary),
    ];
  }
  const given = (prefix?.height ?? 0) / layout.frameHeight;
  return await clipStart(writer, { clip, size, rows: known, given, layout });
}
