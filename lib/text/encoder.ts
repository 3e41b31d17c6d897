/**
 * The text encoder, in the calling thread or in a worker.
 *
 * Building Emu3's encoder takes a quarter of a second, and encoding a long text
 * may take longer, so both run in a worker. A small vocabulary of a few
 * thousand tokens is built in the calling thread, which then also encodes short
 * texts.
 *
 * @module
 */
import { webWorker, WorkerClient } from "../async/worker_client.ts";
import { FairQueue, type FairTaskOptions } from "../async/fair_queue.ts";
import type { SpecialTokens } from "../special_tokens.ts";
import { buildEncoder } from "./bpe.ts";
import type { EncoderMethods } from "./encoder_worker.ts";
import { readTextModel } from "./text_source.ts";
import type { TextSource } from "./text_source.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** An encoder of text, with its vocabulary. */
export interface Encoder extends Disposable {
  /** Spellings of the text tokens. */
  readonly table: TokenBytes;
  /** The special tokens in the file; other files may list more. */
  readonly specials: SpecialTokens;
  /** Resolves when the first text can be encoded. */
  readonly ready: Promise<void>;
  /**
   * Returns the tokens of each of `texts`, without special tokens.
   *
   * @param turn Caller and signal, for texts that wait in the queue.
   */
  encode(
    texts: readonly string[],
    turn?: Pick<FairTaskOptions, "caller" | "signal">,
  ): Promise<Int32Array<ArrayBuffer>[]>;
}

/**
 * The maximum length of a text that is encoded in the calling thread, in
 * characters; it takes about 10 ms.
 */
const SHORT_TEXT = 4096;

/**
 * Opens an encoder in the calling thread; the first long text starts a worker
 * for long texts.
 *
 * @throws {SyntaxError} If the file is invalid.
 */
export function openHere(source: TextSource): Encoder {
  const { table, specials, definition } = readTextModel(
    source.kind,
    source.bytes,
  );
  const encode = buildEncoder(definition());
  let worker: Promise<Encoder> | undefined;
  return {
    table,
    specials,
    ready: Promise.resolve(),
    encode: async (texts, turn) => {
      if (lengthOf(texts) <= SHORT_TEXT) return texts.map(encode);
      const encoder = await (worker ??= openInWorker(source));
      return await encoder.encode(texts, turn);
    },
    [Symbol.dispose]: () => {
      worker?.then((encoder) => encoder[Symbol.dispose](), () => {});
    },
  };
}

/**
 * Opens an encoder in a worker. Resolves when the files are read; texts wait
 * until the encoder is ready, and callers take turns.
 *
 * @throws {SyntaxError} If the file is invalid.
 */
export async function openInWorker(source: TextSource): Promise<Encoder> {
  const worker = new WorkerClient<EncoderMethods>(
    webWorker(new URL("./encoder_worker.ts", import.meta.url), "text encoder"),
    "encoder",
  );
  try {
    const { kind, bytes } = source;
    const { table, specials } = await worker.call("open", { kind, bytes });
    const ready = worker.call("build", undefined);
    // Callers that encode receive the error.
    ready.catch(() => {});
    // One message at a time, because messages in the worker's own queue could
    // not be reordered.
    const queue = new FairQueue();
    return {
      table,
      specials,
      ready,
      encode: async (texts, turn) => {
        await ready;
        return await queue.run(
          () => worker.call("encode", texts),
          { ...turn, cost: 1 + lengthOf(texts) },
        );
      },
      [Symbol.dispose]: () => worker[Symbol.dispose](),
    };
  } catch (error) {
    worker[Symbol.dispose]();
    throw error;
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
