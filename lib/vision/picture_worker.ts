/**
 * The picture codec on a thread of its own.
 *
 * A large picture takes a second to decode, and meanwhile the server must
 * answer others. A file can also be made to trap or to stall a decoder: then
 * the thread is dropped, the call fails, and the next call starts a new one.
 *
 * ```text
 * call ─▶ queue ─▶ one at a time ─▶ thread ─▶ reply
 *                       └ deadline or crash ─▶ thread dropped, error
 * ```
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import {
  ImageError,
  ImageSizeError,
  ImageTooLargeError,
  RuntimeError,
} from "../errors.ts";
import type { PictureCodec } from "./picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";
import type { Call, Fault, Reply } from "./picture_thread.ts";

/** A codec that must be closed: `await using`. */
export interface PictureWorker extends PictureCodec, AsyncDisposable {}

/** How patient a worker is. */
export interface PictureWorkerOptions {
  /** How long one call may run before its thread is dropped. */
  readonly deadlineMs: number;
}

/** Many times what a picture of 16 million pixels takes, and still within a client's patience. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** A codec whose thread starts with the first call. */
export function openPictureWorker(
  options: PictureWorkerOptions,
): PictureWorker {
  const thread = new Thread(options.deadlineMs);
  return {
    decodeImage: (...args) => thread.call("decodeImage", args),
    decodeFrames: (...args) => thread.call("decodeFrames", args),
    resize: (...args) => thread.call("resize", args),
    encodePng: (...args) => thread.call("encodePng", args),
    encodeJpeg: (...args) => thread.call("encodeJpeg", args),
    encodeApng: (...args) => thread.call("encodeApng", args),
    encodeGif: (...args) => thread.call("encodeGif", args),
    zipPngs: (...args) => thread.call("zipPngs", args),
    [Symbol.asyncDispose]: () => thread.close(),
  };
}

class Thread {
  readonly #deadlineMs: number;
  #worker: Worker | undefined;
  #closed = false;
  /** Settled when the last call in the queue is. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  call<M extends keyof PictureCodec>(
    method: M,
    args: Parameters<PictureCodec[M]>,
  ): ReturnType<PictureCodec[M]> {
    const turn = this.#tail.then(() => this.#run({ method, args }));
    this.#tail = turn.catch(() => {});
    // What comes over from the thread is what its method returned.
    return turn as ReturnType<PictureCodec[M]>;
  }

  /** Waits for the calls that were made, then stops the thread. */
  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
    await this.#drop();
  }

  async #run(call: Call): Promise<unknown> {
    if (this.#closed) throw new TypeError("the picture worker is closed");
    const worker = this.#worker ??= start();
    worker.ref();
    const reply = await this.#exchange(worker, call);
    if (reply === "crashed" || reply === "late") {
      await this.#drop();
      throw lost(call, reply, this.#deadlineMs);
    }
    // An idle thread must not keep the process alive.
    worker.unref();
    if ("fault" in reply) throw restored(reply.fault);
    return reply.value;
  }

  #exchange(worker: Worker, call: Call): Promise<Reply | "crashed" | "late"> {
    const { promise, resolve } = Promise.withResolvers<
      Reply | "crashed" | "late"
    >();
    // The thread sends nothing else.
    const onMessage = (reply: unknown) => resolve(unpack(reply) as Reply);
    const onCrash = () => resolve("crashed");
    const timer = setTimeout(() => resolve("late"), this.#deadlineMs);
    worker.once("message", onMessage);
    worker.once("error", onCrash);
    worker.once("exit", onCrash);
    const { packed, buffers } = pack(call);
    worker.postMessage(packed, buffers);
    return promise.finally(() => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("error", onCrash);
      worker.off("exit", onCrash);
    });
  }

  async #drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    // A crash may be told a second time, to nobody.
    worker?.on("error", () => {});
    await worker?.terminate();
  }
}

function start(): Worker {
  return new Worker(new URL("./picture_thread.ts", import.meta.url));
}

function lost(
  { method }: Call,
  how: "crashed" | "late",
  deadlineMs: number,
): Error {
  const what = how === "late"
    ? `it takes longer than ${deadlineMs / 1000} s`
    : "it made the codec crash";
  return method === "decodeImage" || method === "decodeFrames"
    ? new ImageError(what)
    : new RuntimeError(`Cannot run ${method}: ${what}`);
}

/** The error that the thread threw. */
function restored({ code, name, message }: Fault): Error {
  // The classes put their own "Cannot … picture: " in front.
  const detail = message.replace(/^Cannot \w+ picture: /, "");
  switch (code) {
    case "unreadable-image":
      return new ImageError(detail);
    case "image-too-large":
      return new ImageTooLargeError(detail);
    case "image-size":
      return new ImageSizeError(detail);
    case "runtime":
      return new RuntimeError(message);
  }
  if (name === "RangeError") return new RangeError(message);
  return new Error(message);
}
