/**
 * The encoder in this thread or in a worker.
 *
 * Building Emu3's encoder keeps a thread busy for a quarter of a second, and a
 * long text keeps it busy for longer, so both happen in a worker while requests
 * are answered. A vocabulary of a few thousand tokens is built in this thread,
 * which also encodes short texts.
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
  /** The special tokens that the file lists; others may be listed elsewhere. */
  readonly specials: SpecialTokens;
  /** Resolves when the first text can be encoded. */
  readonly ready: Promise<void>;
  /**
   * Returns the tokens of each of `texts`; no special ones, whatever the text.
   *
   * @param turn Turn of the caller, if they have to wait.
   */
  encode(
    texts: readonly string[],
    turn?: Pick<FairTaskOptions, "caller" | "signal">,
  ): Promise<Int32Array<ArrayBuffer>[]>;
}

/**
 * The maximum number of characters that are encoded in this thread: about 10
 * ms.
 */
const SHORT_TEXT = 4096;

/**
 * Opens an encoder in this thread, with a worker for long texts once there is
 * one.
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
 * Opens an encoder in a worker. Resolves when the files are read, before it is
 * ready; earlier texts wait; callers take turns.
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
    // Callers that encode get the error; for others it is irrelevant.
    ready.catch(() => {});
    // One message at a time: no other can pass those that the worker holds
    // already.
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
