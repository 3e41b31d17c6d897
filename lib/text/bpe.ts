/**
 * Ordinary text to tokens: the one door to the tokenizers library.
 *
 * The library is given no special tokens, so whatever a text spells, nothing
 * but text tokens comes out. Decoding is not its task: `text_stream.ts` needs
 * bytes, which the library does not give.
 *
 * @module
 */
import { BPE, Tokenizer } from "@huggingface/tokenizers";

/** Text to tokens, no special ones among them. */
export type EncodePlain = (text: string) => Int32Array<ArrayBuffer>;

/** What an encoder is built from; the objects are those of a `tokenizer.json`. */
export interface EncoderDefinition {
  /** What happens to text before it is split. */
  readonly normalizer: object | null;
  /** How text is split before merging. */
  readonly preTokenizer: object | null;
  /** The tokens and their merges. */
  readonly model: object;
  /**
   * Whether any two neighbors merge that spell a token together, the lowest id
   * first. Otherwise the model lists its merges.
   */
  readonly mergesByRank: boolean;
}

/** The encoder that `definition` describes. */
export function buildEncoder(definition: EncoderDefinition): EncodePlain {
  const tokenizer = new Tokenizer({
    normalizer: definition.normalizer,
    pre_tokenizer: definition.preTokenizer,
    model: definition.model,
    added_tokens: [],
    post_processor: null,
    decoder: null,
  }, {});
  if (definition.mergesByRank) mergeByRank(tokenizer);
  return (text) => Int32Array.from(tokenizer.encode(text).ids);
}

/** `tokens` by id, as a model's `vocab`. */
export function vocabularyObject(
  tokens: readonly string[],
): Record<string, number> {
  // Faster than adding 150,000 properties, and keeps a token "__proto__".
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/**
 * Has `tokenizer` merge as tiktoken does.
 *
 * The library asks for the rank of a merge by `JSON.stringify([left, right])`.
 * Answering from the tokens is exact, while a list of merges has first to be
 * recovered from the ranks and then to be indexed, which for Emu3 takes longer
 * than all the rest.
 */
function mergeByRank({ model }: Tokenizer): void {
  if (!(model instanceof BPE)) {
    throw new TypeError("Cannot merge by rank: the model is not BPE");
  }
  model.bpe_ranks.get = (pair) => {
    const [left, right]: [string, string] = JSON.parse(pair);
    return model.tokens_to_ids.get(left + right);
  };
}
