/**
 * Text ⇄ tokens.
 *
 * ```text
 * encode   text ─▶ composed (NFC) ─▶ special tokens │ ordinary text ─▶ encoder
 * decode   tokens ─▶ bytes ─▶ text
 * ```
 *
 * Both layouts of checkpoints, each as its own reference: the original composes
 * characters first and splits as Qwen does, transformers does as its
 * `tokenizer.json` says. Knows nothing of prompts, and opens no file.
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
import type { DecodeOptions, TokenSpellings } from "./text_stream.ts";

/** On whose behalf a text waits for the encoder, and how long. */
export type EncodeTurn = Pick<FairTaskOptions, "caller" | "signal">;

/** How text becomes tokens. */
export interface EncodeOptions extends EncodeTurn {
  /**
   * Whether text that spells a special token becomes that token. For prompts of
   * our own making only: a user's text could end the prompt it stands in.
   */
  readonly special: boolean;
}

/** Text to tokens and back. */
export interface TextTokenizer extends Disposable {
  /** How many tokens are text: all below this one. */
  readonly textSize: number;
  /** All other tokens. */
  readonly specials: SpecialTokens;
  /**
   * Settles when the first text can be encoded. `encode` waits for it by
   * itself; `decode` and `stream` need not.
   */
  readonly ready: Promise<void>;
  /** The tokens of `text`, which special ones only when asked for. */
  encode(
    text: string,
    options?: EncodeOptions,
  ): Promise<Int32Array<ArrayBuffer>>;
  /**
   * The text of `tokens`.
   *
   * @throws {RangeError} When there is no such token.
   */
  decode(tokens: Iterable<number>, options: DecodeOptions): string;
  /** Text from tokens that arrive over time. */
  stream(options: DecodeOptions): TextStream;
}

/** From how many bytes of its file on a vocabulary is built in a worker. */
const WORKER_BYTES = 2 ** 18;

/**
 * Opens the text side of a checkpoint. Comes as soon as tokens can be decoded.
 *
 * @throws {CheckpointError} When the file is not what it should be; names the
 * line of a rank file.
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

/** A tokenizer around `encoder`, which it disposes of. */
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
      // Half a surrogate pair is no character; the original has U+FFFD for it.
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
