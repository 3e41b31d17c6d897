/**
 * The text encoder: ordinary text to tokens.
 *
 * ```text
 * text ─normalizer─▶ text ─pre-tokenizer─▶ pieces ─merges─▶ tokens
 * ```
 *
 * Normalizers and pre-tokenizers are those of the tokenizers library, which
 * only this module imports. No special tokens are passed to it, so any text
 * encodes to text tokens. It is not used for decoding, because `text_stream.ts`
 * needs bytes, which the library does not return.
 *
 * @module
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { type MergeTable, PairMerger } from "./byte_pair_merge.ts";
import { orderMarks } from "./compose.ts";
import type { SpecialTokens } from "../special_tokens.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** A function from text to tokens, none of them special. */
export type EncodePlain = (text: string) => Int32Array<ArrayBuffer>;

/**
 * The definition of an encoder; the objects are those of a `tokenizer.json`.
 */
export interface EncoderDefinition {
  /** Normalizer of text before it is split. */
  readonly normalizer: object | null;
  /** Splitter of text before merging. */
  readonly preTokenizer: object | null;
  /** Tokens and their merges. */
  readonly table: MergeTable;
}

/** Builds the encoder that `definition` describes. */
export function buildEncoder(
  { normalizer, preTokenizer, table }: EncoderDefinition,
): EncodePlain {
  const library = new Tokenizer({
    normalizer,
    "pre_tokenizer": preTokenizer,
    // Merges are implemented in `byte_pair_merge.ts`.
    model: { type: "BPE", vocab: {}, merges: [] },
    "added_tokens": [],
    "post_processor": null,
    decoder: null,
  }, {});
  const merger = new PairMerger(table);
  const normalize = (text: string) =>
    library.normalizer === null
      ? text
      : library.normalizer.normalize(orderMarks(text));
  const split = (text: string) =>
    library.pre_tokenizer === null
      ? [text]
      : library.pre_tokenizer.pre_tokenize(text);
  return (text) => {
    const normalized = normalize(text);
    if (normalized === "") return new Int32Array();
    const tokens: number[] = [];
    for (const piece of split(normalized)) merger.encode(piece, tokens);
    return Int32Array.from(tokens);
  };
}

/**
 * Returns the ids of `tokens` by their spelling; an id is the index in the
 * list.
 */
export function tokenIds(tokens: readonly string[]): Map<string, number> {
  return new Map(tokens.map((token, id) => [token, id]));
}

/** A parsed text file of a checkpoint. */
export interface TextModel {
  /** Spellings of the text tokens. */
  readonly table: TokenBytes;
  /** The special tokens in the file; other files may list more. */
  readonly specials: SpecialTokens;
  /**
   * Returns the definition of the encoder. It is created on demand, since it
   * takes the most time, and decoding does not need it.
   */
  readonly definition: () => EncoderDefinition;
}
