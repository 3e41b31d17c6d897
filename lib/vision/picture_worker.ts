/**
 * The picture codec on a thread of its own.
 *
 * A large picture takes seconds to decode, and meanwhile the server must answer
 * others. A file can also be made to trap or to stall a decoder: then the
 * thread is dropped, the call fails, and the next call starts a new one. So it
 * is when nobody waits for the call any more, and when the thread keeps more
 * memory than it needs: that of WebAssembly never shrinks.
 *
 * ```text
 * call ─▶ queue ─▶ one at a time ─▶ thread ─▶ reply
 *           │           └ deadline, crash or abort ─▶ thread dropped, error
 *           └ abort ─▶ error
 * ```
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { FairQueue } from "../async/fair_queue.ts";
import {
  ImageError,
  ImageSizeError,
  ImageTooLargeError,
  OverloadedError,
  RuntimeError,
} from "../errors.ts";
import { readHeader } from "./header.ts";
import type { PixelSize } from "./image.ts";
import type { PictureCodec } from "./picture_codec.ts";
import { pack, unpack } from "./picture_message.ts";
import type { Call, Fault, Reply } from "./picture_thread.ts";

/** A codec that must be closed: `await using`. */
export interface PictureWorker extends PictureCodec, AsyncDisposable {}

/** Limits of a worker. */
export interface PictureWorkerOptions {
  /**
   * Milliseconds that any call may run before its thread is dropped, beside
   * what its pixels add.
   */
  readonly deadlineMs: number;
  /** Milliseconds that each pixel adds; 0 by default. */
  readonly deadlineMsPerPixel?: number;
}

/**
 * Deadlines that only a stalled decoder reaches, not a busy machine: the
 * slowest type takes a quarter of them on one of two shared CPUs.
 */
export const DEFAULT_DEADLINES: PictureWorkerOptions = {
  deadlineMs: 30_000,
  deadlineMsPerPixel: 1.5e-3,
};

/** Time to its end of a call that nobody waits for, in milliseconds. */
const ABANDONED_MS = 200;

/** Bytes beside its heap with which an idle thread is kept. */
const MAX_EXTERNAL_BYTES = 2 ** 28;

/** Retry-After seconds of a call that missed its deadline. */
const LATE_RETRY_S = 30;

/** A codec whose thread starts with the first call. */
export function openPictureWorker(
  options: PictureWorkerOptions,
): PictureWorker {
  const thread = new Thread(options);
  return {
    decodeImage: (bytes, options, signal) =>
      thread.call("decodeImage", [bytes, options], signal),
    decodeFrames: (bytes, options, signal) =>
      thread.call("decodeFrames", [bytes, options], signal),
    resize: (image, size, signal) =>
      thread.call("resize", [image, size], signal),
    encodePng: (image, options, signal) =>
      thread.call("encodePng", [image, options], signal),
    encodeJpeg: (image, options, signal) =>
      thread.call("encodeJpeg", [image, options], signal),
    encodeWebp: (image, options, signal) =>
      thread.call("encodeWebp", [image, options], signal),
    encodeApng: (frames, options, signal) =>
      thread.call("encodeApng", [frames, options], signal),
    encodeGif: (frames, options, signal) =>
      thread.call("encodeGif", [frames, options], signal),
    zipPngs: (frames, signal) => thread.call("zipPngs", [frames], signal),
    [Symbol.asyncDispose]: () => thread.close(),
  };
}

/** The ways for a call to end without a reply. */
type Loss = "crashed" | "late" | "abandoned";

class Thread {
  readonly #options: PictureWorkerOptions;
  readonly #queue = new FairQueue();
  #worker: Worker | undefined;
  #closed = false;

  constructor(options: PictureWorkerOptions) {
    this.#options = options;
  }

  call<M extends keyof PictureCodec>(
    method: M,
    args: Parameters<PictureCodec[M]>,
    signal: AbortSignal | undefined,
  ): ReturnType<PictureCodec[M]> {
    const turn = this.#queue.run(
      () => this.#run({ method, args }, signal),
      { signal },
    );
    // What comes over from the thread is what its method returned.
    return turn as ReturnType<PictureCodec[M]>;
  }

  /** Waits for the calls that were made, then stops the thread. */
  async close(): Promise<void> {
    await this.#queue.run(() => Promise.resolve());
    this.#closed = true;
    await this.#drop();
  }

  async #run(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#closed) throw new TypeError("the picture worker is closed");
    const worker = this.#worker ??= start();
    worker.ref();
    const reply = await this.#exchange(worker, call, signal);
    if (typeof reply === "string") {
      await this.#drop();
      signal?.throwIfAborted();
      throw lost(call, reply);
    }
    // An idle thread must not keep the process alive.
    worker.unref();
    if (reply.externalBytes > MAX_EXTERNAL_BYTES) await this.#drop();
    signal?.throwIfAborted();
    const { outcome } = reply;
    if ("fault" in outcome) throw restored(outcome.fault);
    return outcome.value;
  }

  #exchange(
    worker: Worker,
    call: Call,
    signal: AbortSignal | undefined,
  ): Promise<Reply | Loss> {
    const { promise, resolve } = Promise.withResolvers<Reply | Loss>();
    // The thread sends nothing else.
    const onMessage = (reply: unknown) => resolve(unpack(reply) as Reply);
    const onCrash = () => resolve("crashed");
    const timers = [
      setTimeout(() => resolve("late"), deadlineOf(call, this.#options)),
    ];
    // Most calls end sooner than another thread starts.
    const onAbort = () =>
      timers.push(setTimeout(() => resolve("abandoned"), ABANDONED_MS));
    worker.once("message", onMessage);
    worker.once("error", onCrash);
    worker.once("exit", onCrash);
    signal?.addEventListener("abort", onAbort, { once: true });
    const { packed, buffers } = pack(call);
    worker.postMessage(packed, buffers);
    return promise.finally(() => {
      timers.forEach(clearTimeout);
      signal?.removeEventListener("abort", onAbort);
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

function deadlineOf(
  { args: [subject] }: Call,
  { deadlineMs, deadlineMsPerPixel = 0 }: PictureWorkerOptions,
): number {
  return deadlineMs + deadlineMsPerPixel * pixelsOf(subject);
}

/** @param subject The file, the picture or the frames that a method is given. */
function pixelsOf(subject: unknown): number {
  if (Array.isArray(subject)) {
    return subject.reduce((sum, frame) => sum + pixelsOf(frame), 0);
  }
  try {
    const { height, width, frames } = subject instanceof Uint8Array
      ? readHeader(subject)
      : { frames: 1, ...subject as PixelSize };
    return height * width * frames;
  } catch {
    // No picture: refusing it takes no time.
    return 0;
  }
}

function lost({ method }: Call, how: Loss): Error {
  if (how === "late") {
    return new OverloadedError(
      LATE_RETRY_S,
      "the picture took longer than it may on this machine",
    );
  }
  const what = "it made the codec crash";
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
