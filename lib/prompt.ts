/**
 * Prompts as token sequences.
 *
 * ```text
 * generate   BOS text BOI H*W IMG                                       ┐ picture
 * chat       BOS "You are a helpful assistant. USER: " picture… text ". ASSISTANT:" (" " answer)
 * base       BOS picture… text (answer)
 * text only  the same without pictures: the words around are one text
 * picture =  BOI H*W IMG row EOL row EOL … EOF EOI
 * ```
 *
 * Text that users send is encoded as ordinary text: what spells a special token
 * stays text. Source: emu3/mllm/processing_emu3.py of baaivision/Emu3.
 *
 * @module
 */

import type { Template } from "../models/config/generation_config.ts";
import type { Prompt } from "./engine/sequence.ts";
import { type CodeGrid, type GridSize, gridTokens } from "./grid.ts";
import type { EncodeTurn, TextTokenizer } from "./text/text_tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What turns text into prompts. */
export interface PromptWriter {
  /** Text ⇄ tokens. */
  readonly text: Pick<TextTokenizer, "encode">;
  /** Which token means what. */
  readonly vocabulary: Vocabulary;
}

/** Returns a writer whose texts wait for their turn as `turn` says. */
export function writerFor(
  { text, vocabulary }: PromptWriter,
  turn: EncodeTurn,
): PromptWriter {
  const encode: TextTokenizer["encode"] = (string, options) =>
    text.encode(string, { special: false, ...options, ...turn });
  return { text: { encode }, vocabulary };
}

/** What a chat model is told before anything else. */
export const SYSTEM = "You are a helpful assistant.";

/** Texts around pictures and question, and before the answer. */
interface Wording {
  readonly before: string;
  readonly after: string;
  /** Written by the model, as its first token begins with it. */
  readonly separator: string;
}

/** Those texts, by template. */
const WORDING: Readonly<Record<Template, Wording>> = {
  chat: {
    before: `${SYSTEM} USER: `,
    after: ". ASSISTANT:",
    separator: " ",
  },
  base: { before: "", after: "", separator: "" },
};

/** Returns what a model writes between the prompt of a question and its answer. */
export function answerSeparator(template: Template): string {
  return WORDING[template].separator;
}

/** What precedes the first code of a picture that shows `prompt`. */
export async function drawingPrompt(
  { text, vocabulary }: PromptWriter,
  prompt: string,
  size: GridSize,
): Promise<Int32Array<ArrayBuffer>> {
  const { bos } = vocabulary;
  return joined([
    [bos],
    await text.encode(prompt),
    ...await pictureStart({ text, vocabulary }, size),
  ]);
}

/**
 * What precedes the first token of an answer about `grids`. Others may share the
 * words before the pictures, and each picture with what is before it. Without
 * grids it is a question of text alone.
 */
export async function questionPrompt(
  { text, vocabulary }: PromptWriter,
  grids: readonly CodeGrid[],
  question: string,
  template: Template,
): Promise<Prompt> {
  const { before, after } = WORDING[template];
  if (grids.length === 0) {
    // Encoded as one text, as in training: the space after "USER:" belongs to
    // the word behind it where no picture stands between them.
    const words = await text.encode(`${before}${question}${after}`);
    const tokens = joined([[vocabulary.bos], words]);
    return { tokens, cuts: [tokens.length] };
  }
  const shared = [joined([[vocabulary.bos], await text.encode(before)])];
  for (const grid of grids) {
    const start = await pictureStart({ text, vocabulary }, grid);
    shared.push(joined([...start, gridTokens(grid, vocabulary)]));
  }
  const asked = Int32Array.from(await text.encode(`${question}${after}`));
  const parts = asked.length === 0 ? shared : [...shared, asked];
  let length = 0;
  return {
    tokens: joined(parts),
    cuts: parts.map((part) => length += part.length),
  };
}

/** `BOI H*W IMG` */
async function pictureStart(
  { text, vocabulary }: PromptWriter,
  { height, width }: GridSize,
): Promise<ArrayLike<number>[]> {
  const { boi, img } = vocabulary;
  return [[boi], await text.encode(`${height}*${width}`), [img]];
}

function joined(
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
