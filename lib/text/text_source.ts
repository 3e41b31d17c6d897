/**
 * The text files of a checkpoint, in either layout.
 *
 * ```text
 * ranks   emu3.tiktoken  ─▶ ranks.ts ─▶ original_tokenizer.ts ─╮
 *                                                              ├▶ bpe.ts
 * json    tokenizer.json ─▶ tokenizer_json.ts ─────────────────╯
 * ```
 *
 * A source holds the bytes; `text_files.ts` finds and reads the files.
 *
 * @module
 */
import type { SpecialTokens } from "../special_tokens.ts";
import { originalDefinition } from "./original_tokenizer.ts";
import { parseRanks } from "./ranks.ts";
import type { TextModel } from "./bpe.ts";
import { readTokenizerJson } from "./tokenizer_json.ts";

/** The text files of one checkpoint. */
export type TextSource = RankSource | JsonSource;

/** The files of the original layout: `emu3.tiktoken`. */
export interface RankSource {
  /** Kind of the layout. */
  readonly kind: "ranks";
  /** Path of the rank file, for messages. */
  readonly file: string;
  /** Bytes of the rank file. */
  readonly bytes: Uint8Array;
  /**
   * Special tokens in the order of their ids; the first follows the last rank.
   */
  readonly specials: readonly string[];
}

/** The files of the transformers layout: `tokenizer.json`. */
export interface JsonSource {
  /** Kind of the layout. */
  readonly kind: "json";
  /** Path of `tokenizer.json`, for messages. */
  readonly file: string;
  /** Bytes of `tokenizer.json`. */
  readonly bytes: Uint8Array;
  /**
   * Further tokens, from `vocabulary_map` of `config.json`: in some checkpoints
   * only it lists the tokens of codes. It may contain text tokens.
   */
  readonly specials: SpecialTokens;
}

/**
 * Reads a file of either layout.
 *
 * @throws {SyntaxError} If it is invalid.
 */
export function readTextModel(
  kind: TextSource["kind"],
  bytes: Uint8Array,
): TextModel {
  if (kind === "json") return readTokenizerJson(bytes);
  const table = parseRanks(bytes);
  return {
    table,
    // A rank file contains text tokens only.
    specials: new Map(),
    definition: () => originalDefinition(table),
  };
}

/**
 * Returns the special tokens of a checkpoint.
 *
 * @param listed Tokens in the file.
 * @param textSize Number of text tokens.
 */
export function allSpecials(
  source: TextSource,
  listed: SpecialTokens,
  textSize: number,
): SpecialTokens {
  if (source.kind === "ranks") {
    return new Map(source.specials.map((name, i) => [name, textSize + i]));
  }
  const specials = new Map<string, number>();
  for (const [name, id] of source.specials) {
    if (id >= textSize) specials.set(name, id);
  }
  for (const [name, id] of listed) specials.set(name, id);
  return specials;
}
