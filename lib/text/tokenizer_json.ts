/**
 * The reader of `tokenizer.json`.
 *
 * Special tokens are separated from the model, because the library would find
 * them in any text, including a user's; `text_tokenizer.ts` finds them where
 * they are allowed.
 *
 * @module
 */
import { type TextModel, tokenIds } from "./bpe.ts";
import { unspellTokens } from "./byte_characters.ts";
import { requireEveryByte } from "./token_bytes.ts";

/**
 * Reads `tokenizer.json`.
 *
 * @throws {SyntaxError} If it is not JSON, or not byte-level BPE with the
 * special tokens after all others.
 */
export function readTokenizerJson(bytes: Uint8Array): TextModel {
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const file = record(json, "the file");
  const model = record(file["model"], '"model"');
  if (model["type"] !== "BPE") throw new SyntaxError('"model.type" is not BPE');
  const { merges } = model;
  if (!Array.isArray(merges)) {
    throw new SyntaxError('"model.merges" is not a list');
  }
  const added = addedTokens(file["added_tokens"]);
  // Emu3's special tokens are after all others, so text tokens end at the
  // lowest.
  const textSize = [...added.values()].reduce((low, id) => Math.min(low, id));
  const specials = new Map<string, number>();
  const tokens: string[] = [];
  const vocab = record(model["vocab"], '"model.vocab"');
  for (const [token, value] of Object.entries(vocab)) {
    const id = tokenId(value, "model.vocab");
    if (id < textSize) tokens[id] = token;
    else specials.set(token, id);
  }
  for (const [name, id] of added) specials.set(name, id);
  for (let id = 0; id < textSize; id++) {
    if (tokens[id] === undefined) {
      throw new SyntaxError(`token ${id} is missing`);
    }
  }
  const table = unspellTokens(tokens);
  requireEveryByte(table);
  return {
    table,
    specials,
    definition: () => ({
      normalizer: optionalRecord(file["normalizer"], '"normalizer"'),
      preTokenizer: optionalRecord(file["pre_tokenizer"], '"pre_tokenizer"'),
      table: {
        ids: tokenIds(tokens),
        ranks: mergeRanks(merges),
        ignoreMerges: model["ignore_merges"] === true,
      },
    }),
  };
}

/**
 * Returns the ranks of merges by left and right token with a space between.
 *
 * @param merges Merges in the order of their ranks, as `"left right"` or
 * `["left", "right"]`.
 */
function mergeRanks(merges: readonly unknown[]): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    ranks.set(Array.isArray(merge) ? merge.join(" ") : String(merge), rank);
  }
  return ranks;
}

/** Returns the ids of `added_tokens` by name; at least one. */
function addedTokens(list: unknown): Map<string, number> {
  if (!Array.isArray(list) || list.length === 0) {
    throw new SyntaxError('"added_tokens" lists no special token');
  }
  const tokens = new Map<string, number>();
  for (const entry of list) {
    const token = record(entry, 'an entry of "added_tokens"');
    if (typeof token["content"] !== "string") {
      throw new SyntaxError('an entry of "added_tokens" has no "content"');
    }
    tokens.set(token["content"], tokenId(token["id"], "added_tokens"));
  }
  return tokens;
}

function tokenId(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) {
    return value;
  }
  throw new SyntaxError(`"${key}" has an id that is not a whole number`);
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new SyntaxError(`${what} is not an object`);
}

function optionalRecord(value: unknown, what: string): object | null {
  return value === undefined || value === null ? null : record(value, what);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
