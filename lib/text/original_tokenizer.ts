/**
 * The tokenizer of the original layout (`tokenization_emu3.py`, BAAI/Emu3-Gen).
 *
 * ```text
 * text ─NFC─▶ split by pattern ─▶ bytes as characters ─▶ merges by rank
 * ```
 *
 * Composition (NFC) precedes the search for special tokens, so it is in
 * `text_tokenizer.ts`. The converted tokenizer of transformers differs: it does
 * not compose, and splits as GPT-2 does.
 *
 * @module
 */
import { tokenIds } from "./bpe.ts";
import type { EncoderDefinition } from "./bpe.ts";
import { spellTokens } from "./byte_characters.ts";
import type { TokenBytes } from "./token_bytes.ts";

/**
 * The pattern that splits text: `PAT_STR` of the original, which is that of
 * Qwen.
 */
const PATTERN = [
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
  "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+",
  "\\p{N}",
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*",
  "\\s*[\\r\\n]+",
  "\\s+(?!\\S)",
  "\\s+",
].join("|");

/**
 * Returns the definition of the original's encoder for the tokens of `table`.
 */
export function originalDefinition(table: TokenBytes): EncoderDefinition {
  const tokens = spellTokens(table);
  return {
    normalizer: null,
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: PATTERN },
          behavior: "Isolated",
          invert: false,
        },
        { type: "ByteLevel", add_prefix_space: false, use_regex: false },
      ],
    },
    table: {
      ids: tokenIds(tokens),
      ranks: undefined,
      // As in tiktoken, which looks up a whole piece before it merges.
      ignoreMerges: true,
    },
  };
}
