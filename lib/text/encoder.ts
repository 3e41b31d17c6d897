/**
 * Encoders in this thread and in a worker.
 *
 * Building Emu3's encoder keeps a thread busy for a quarter of a second, and a
 * long text keeps it busy for longer, so both happen in a worker and requests
 * are answered meanwhile. A vocabulary of a few thousand tokens is built in this
 * thread, which encodes short texts by itself.
 *
 * @module
 */
import { FairQueue, type FairTaskOptions } from "../async/fair_queue.ts";
import type { SpecialTokens } from "../special_tokens.ts";
import { buildEncoder } from "./bpe.ts";
import type { WorkerReply, WorkerRequest } from "./encoder_worker.ts";
import { readTextModel } from "./text_source.ts";
import type { TextSource } from "./text_source.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** A text model that can encode. */
export interface Encoder extends Disposable {
  /** What the text tokens spell. */
  readonly table: TokenBytes;
  /** The special tokens that the file lists; others may be listed elsewhere. */
  readonly specials: SpecialTokens;
  /** Settles when the first text can be encoded. */
  readonly ready: Promise<void>;
  /**
   * The tokens of each of `texts`; no special ones, whatever they spell.
   *
   * @param turn On whose behalf they wait, where they have to.
   */
  encode(
    texts: readonly string[],
    turn?: Pick<FairTaskOptions, "caller" | "signal">,
  ): Promise<Int32Array<ArrayBuffer>[]>;
}

/** The most characters that are encoded in this thread: about 10 ms. */
const SHORT_TEXT = 4096;

/**
 * Opens an encoder in this thread, with a worker for long texts once there is
 * one.
 *
 * @throws {SyntaxError} When the file is not what it should be.
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
 * Opens an encoder in a thread of its own. Resolves when the files are read,
 * before it is ready; texts that come sooner wait; callers take turns.
 *
 * @throws {SyntaxError} When the file is not what it should be.
 */
export async function openInWorker(source: TextSource): Promise<Encoder> {
  const worker = new EncoderWorker();
  try {
    const opened = await worker.ask({
      kind: "open",
      format: source.kind,
      bytes: source.bytes,
    });
    if (opened.kind !== "opened") throw outOfStep(opened);
    const ready = worker.ask({ kind: "build" }).then(() => {});
    // Who encodes hears of a failure; to others it does not matter.
    ready.catch(() => {});
    // One message at a time: what the worker holds already, nobody can pass.
    const queue = new FairQueue();
    return {
      table: opened.table,
      specials: opened.specials,
      ready,
      encode: async (texts, turn) => {
        await ready;
        const encoded = await queue.run(
          () => worker.ask({ kind: "encode", texts }),
          { ...turn, cost: 1 + lengthOf(texts) },
        );
        if (encoded.kind !== "encoded") throw outOfStep(encoded);
        return encoded.tokens;
      },
      [Symbol.dispose]: () => worker.close(),
    };
  } catch (error) {
    worker.close();
    throw error;
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function outOfStep(reply: WorkerReply): Error {
  return new Error(
    `Cannot use encoder: it answered "${reply.kind}" to something else`,
  );
}

/** The worker, and who waits for its answers, in the order of asking. */
class EncoderWorker {
  readonly #worker = new Worker(
    new URL("./encoder_worker.ts", import.meta.url),
    {
      type: "module",
      name: "text encoder",
    },
  );
  #waiting: PromiseWithResolvers<WorkerReply>[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.onmessage = (event: MessageEvent<WorkerReply>) => {
      const reply = event.data;
      const first = this.#waiting.shift();
      if (reply.kind === "failed") first?.reject(reply.error);
      else first?.resolve(reply);
    };
    this.#worker.onerror = (event) => {
      // Not the end of the process, only of whoever needs text.
      event.preventDefault();
      this.#fail(new Error(`Cannot use encoder: ${event.message}`));
    };
  }

  ask(request: WorkerRequest): Promise<WorkerReply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const reply = Promise.withResolvers<WorkerReply>();
    this.#waiting.push(reply);
    this.#worker.postMessage(request);
    return reply.promise;
  }

  close(): void {
    this.#fail(new Error("Cannot use encoder: it is closed"));
    this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const reply of this.#waiting) reply.reject(this.#failure);
    this.#waiting = [];
  }
}
