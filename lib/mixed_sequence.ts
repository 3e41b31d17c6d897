/**
 * The parser of a mixed token sequence into text and pictures.
 *
 * ```text
 * BOS text BOI H*W IMG row EOL … EOF EOI text EOS
 *     ╰──╯ ╰────────────────────────────╯ ╰──╯
 *     text           picture               text
 * ```
 *
 * A picture starts with BOI, text tokens and IMG, and must then be complete.
 * All other special tokens are omitted from the text before bytes are joined,
 * as in the reference.
 *
 * @module
 */

import { GridError } from "./errors.ts";
import { type CodeGrid, gridLength, type GridSize, parseGrid } from "./grid.ts";
import type { TextTokenizer } from "./text/text_tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A text or a picture of a mixed sequence. */
export type MixedPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly grid: CodeGrid };

/** The parts of a tokenizer that decode tokens. */
export interface MixedReader {
  /** The decoder of tokens to text. */
  readonly text: Pick<TextTokenizer, "decode">;
  /** The vocabulary of special tokens and codes. */
  readonly vocabulary: Vocabulary;
}

/**
 * The maximum number of tokens of a size; that of the largest grid has nine.
 */
const MAX_SIZE_TOKENS = 16;

/** The maximum side of a grid, in codes. */
const MAX_SIDE = 65_535;

/**
 * Returns the parts of `tokens`, without empty texts.
 *
 * @throws {GridError} If a picture is malformed.
 */
export function parseMixed(
  tokens: Int32Array,
  reader: MixedReader,
): MixedPart[] {
  const { vocabulary } = reader;
  const parts: MixedPart[] = [];
  let pending: number[] = [];
  const endText = () => {
    const text = reader.text.decode(pending, { skipSpecial: true });
    if (text !== "") parts.push({ type: "text", text });
    pending = [];
  };
  let at = 0;
  while (at < tokens.length) {
    const img = pictureStart(tokens, at, vocabulary);
    if (img === undefined) {
      const token = tokens[at++]!;
      if (token < vocabulary.textSize) pending.push(token);
      continue;
    }
    endText();
    const size = readSize(tokens.subarray(at + 1, img), reader);
    const end = img + 1 + gridLength(size);
    const grid = parseGrid(tokens.subarray(img + 1, end), size, vocabulary);
    parts.push({ type: "image", grid });
    at = end;
  }
  endText();
  return parts;
}

/**
 * Returns the index of the IMG that belongs to the BOI at `at`; undefined if
 * there is none.
 */
function pictureStart(
  tokens: Int32Array,
  at: number,
  { boi, img, textSize }: Vocabulary,
): number | undefined {
  if (tokens[at] !== boi) return undefined;
  const last = Math.min(tokens.length, at + 2 + MAX_SIZE_TOKENS);
  for (let i = at + 1; i < last; i++) {
    if (tokens[i] === img) return i;
    if (tokens[i]! >= textSize) return undefined;
  }
  return undefined;
}

function readSize(tokens: Int32Array, { text }: MixedReader): GridSize {
  const spelled = text.decode(tokens, { skipSpecial: true });
  const [, height, width] = /^([1-9]\d*)\*([1-9]\d*)$/.exec(spelled) ?? [];
  const size = { height: Number(height), width: Number(width) };
  const known = size.height <= MAX_SIDE && size.width <= MAX_SIDE;
  if (!known) {
    throw new GridError(
      "its size is not in the form height*width, such as 90*90",
    );
  }
  return size;
}
