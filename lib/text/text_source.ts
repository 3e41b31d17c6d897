/**
 * The files of a checkpoint that concern text, of either layout.
 *
 * ```text
 * ranks   emu3.tiktoken  ─▶ ranks.ts ─▶ merges.ts ─▶ original.ts ─╮
 *                                                                 ├▶ bpe.ts
 * json    tokenizer.json ─▶ tokenizer_json.ts ────────────────────╯
 * ```
 *
 * Holds their bytes: whoever finds the files opens them.
 *
 * @module
 */
import type { SpecialTokens } from "../special_tokens.ts";
import { originalDefinition } from "./original.ts";
import { parseRanks } from "./ranks.ts";
import type { TextModel } from "./text_model.ts";
import { readTokenizerJson } from "./tokenizer_json.ts";

/** The files of one checkpoint. */
export type TextSource = RankSource | JsonSource;

/** The original layout: `emu3.tiktoken`. */
export interface RankSource {
  /** Says which layout this is. */
  readonly kind: "ranks";
  /** The path of the rank file, for messages. */
  readonly file: string;
  /** The rank file. */
  readonly bytes: Uint8Array;
  /** The special tokens in the order of their ids; the first follows the last rank. */
  readonly specials: readonly string[];
}

/** The transformers layout: `tokenizer.json`. */
export interface JsonSource {
  /** Says which layout this is. */
  readonly kind: "json";
  /** The path of `tokenizer.json`, for messages. */
  readonly file: string;
  /** `tokenizer.json` itself. */
  readonly bytes: Uint8Array;
  /**
   * More tokens, as `vocabulary_map` of `config.json` lists them: checkpoints
   * differ in which of the two files holds those of the codes. Text tokens may
   * be among them.
   */
  readonly specials: SpecialTokens;
}

/**
 * Reads a file of either layout.
 *
 * @throws {SyntaxError} When it is not what it should be.
 */
export function readTextModel(
  kind: TextSource["kind"],
  bytes: Uint8Array,
): TextModel {
  if (kind === "json") return readTokenizerJson(bytes);
  const table = parseRanks(bytes);
  return {
    table,
    // A rank file knows text only.
    specials: new Map(),
    definition: () => originalDefinition(table),
  };
}

/**
 * The special tokens of a checkpoint.
 *
 * @param listed Those that the file itself lists.
 * @param textSize How many tokens are text.
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
