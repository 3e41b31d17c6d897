/**
 * The tokenizer: text to tokens and back.
 *
 * ```text
 * encode   text ─▶ composed (NFC) ─▶ special tokens │ ordinary text ─▶ encoder
 * decode   tokens ─▶ bytes ─▶ text
 * ```
 *
 * Each layout follows its own reference: the original composes characters first
 * and splits as Qwen does, transformers follows its `tokenizer.json`. This
 * module does not depend on prompts, and opens no files.
 *
 * @module
 */
import type { FairTaskOptions } from "../async/fair_queue.ts";
import { CheckpointError } from "../errors.ts";
import type { SpecialTokens } from "../special_tokens.ts";
import { composeText } from "./compose.ts";
import { openHere, openInWorker } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { joinParts, SpecialSplitter } from "./special_split.ts";
import { allSpecials } from "./text_source.ts";
import type { TextSource } from "./text_source.ts";
import { TextStream } from "./text_stream.ts";
import type { TextDecodeOptions, TokenSpellings } from "./text_stream.ts";

/** The caller that a text is queued for, and its signal. */
export type EncodeTurn = Pick<FairTaskOptions, "caller" | "signal">;

/** Options of {@linkcode TextTokenizer.encode}. */
export interface EncodeOptions extends EncodeTurn {
  /**
   * True to encode the name of a special token as that token. For trusted text
   * only: a user's text could end the prompt that contains it.
   */
  readonly special: boolean;
}

/** Text to tokens and back. */
export interface TextTokenizer extends Disposable {
  /** Number of text tokens, which are all below it. */
  readonly textSize: number;
  /** Ids of all other tokens, by name. */
  readonly specials: SpecialTokens;
  /**
   * Resolves when the first text can be encoded. `encode` waits for it;
   * `decode` and `stream` do not need it.
   */
  readonly ready: Promise<void>;
  /** Returns the tokens of `text`, with special ones only if requested. */
  encode(
    text: string,
    options?: EncodeOptions,
  ): Promise<Int32Array<ArrayBuffer>>;
  /**
   * Returns the text of `tokens`.
   *
   * @throws {RangeError} If there is no such token.
   */
  decode(tokens: Iterable<number>, options: TextDecodeOptions): string;
  /** Returns a stream of text from tokens that arrive over time. */
  stream(options: TextDecodeOptions): TextStream;
}

/**
 * The minimum size of a file whose vocabulary is built in a worker, in bytes.
 */
const WORKER_BYTES = 2 ** 18;

/**
 * Opens the tokenizer of a checkpoint. Resolves as soon as tokens can be
 * decoded.
 *
 * @throws {CheckpointError} If the file is invalid; the message names the line
 * of a rank file.
 */
export async function openTextTokenizer(
  source: TextSource,
): Promise<TextTokenizer> {
  const small = source.bytes.length < WORKER_BYTES;
  try {
    const encoder = small ? openHere(source) : await openInWorker(source);
    return tokenizerFromEncoder(encoder, source);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CheckpointError(source.file, cause.message, { cause });
  }
}

/** Returns a tokenizer around `encoder`, which it disposes of. */
function tokenizerFromEncoder(
  encoder: Encoder,
  source: TextSource,
): TextTokenizer {
  const { table, ready } = encoder;
  const specials = allSpecials(source, encoder.specials, table.ends.length);
  const names = new Map<number, string>();
  for (const [name, token] of specials) names.set(token, name);
  const spellings: TokenSpellings = { table, names };
  const splitter = new SpecialSplitter(specials);
  const composes = source.kind === "ranks";
  return {
    textSize: table.ends.length,
    specials,
    ready,
    encode: async (text, { special, ...turn } = { special: false }) => {
      // The original replaces a lone surrogate by U+FFFD.
      const whole = text.toWellFormed();
      const composed = composes ? composeText(whole) : whole;
      const parts = special ? splitter.split(composed) : [composed];
      const texts = parts.filter((part) => typeof part === "string");
      return joinParts(parts, await encoder.encode(texts, turn));
    },
    decode: (tokens, options) => {
      const stream = new TextStream(spellings, options);
      return stream.push(tokens) + stream.finish();
    },
    stream: (options) => new TextStream(spellings, options),
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
  };
}
