/**
 * The client of a thread that runs the picture codec, one call at a time.
 *
 * A file can be made to trap or to stall a decoder: then the thread is dropped,
 * the call fails, and the next call starts a new one. The same applies when a
 * call is abandoned, and when the thread holds more memory than it needs: that
 * of WebAssembly never shrinks.
 *
 * ```text
 * call ─▶ thread ─▶ reply
 *           └ deadline, crash or abort ─▶ thread dropped, error
 * ```
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import {
  ImageError,
  ImageSizeError,
  ImageTooLargeError,
  OverloadedError,
  RuntimeError,
} from "../../errors.ts";
import { pack, unpack } from "./picture_message.ts";
import type { Call, Fault, Greeting, Reply } from "./picture_thread.ts";
import {
  type Missed,
  threadClock,
  watch,
  WorkDeadline,
} from "./work_deadline.ts";

/** The reasons that a call ends without a reply. */
export type Loss = Missed | "crashed" | "abandoned";

/** Options of a thread. */
export interface CodecThreadOptions {
  /** A clock, in milliseconds. */
  readonly now: () => number;
  /** Returns the CPU time that a call may take, in milliseconds. */
  readonly deadlineMs: (call: Call) => number;
  /** Called with each call that ends without a reply. */
  readonly onLoss: (call: Call, how: Loss) => void;
}

/** Milliseconds after which an abandoned call is ended. */
const ABANDONED_MS = 200;

/** The most bytes with which a thread is kept between two calls. */
const MAX_KEPT_BYTES = 2 ** 26;

/** Retry-After seconds of a call that stalled. */
const STALLED_RETRY_S = 30;

/** Runs calls of the codec; its thread starts with the first. */
export class CodecThread {
  readonly #options: CodecThreadOptions;
  #worker: Worker | undefined;
  #number: number | undefined;
  #ended: Promise<unknown> | undefined;
  #heldBytes = 0;

  /** Creates the client; the thread is not started. */
  constructor(options: CodecThreadOptions) {
    this.#options = options;
  }

  /** Bytes that the thread holds between calls; 0 without a thread. */
  get heldBytes(): number {
    return this.#worker === undefined ? 0 : this.#heldBytes;
  }

  /** Returns true if the thread was started, and not dropped. */
  get started(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Runs `call`.
   *
   * @throws The error that the codec throws, as far as classes survive the way.
   * @throws {ImageError} If a file makes the codec crash, or compute without
   * an end.
   * @throws {OverloadedError} If the machine leaves it no time.
   * @throws The signal's reason if it aborts first.
   */
  async run(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    const worker = this.#worker ??= this.#start();
    worker.ref();
    const reply = await this.#exchange(worker, call, signal);
    if (typeof reply === "string") {
      await this.drop();
      this.#options.onLoss(call, reply);
      signal?.throwIfAborted();
      throw lost(call, reply);
    }
    // An idle thread must not keep the process alive.
    worker.unref();
    this.#heldBytes = reply.heldBytes;
    if (reply.heldBytes > MAX_KEPT_BYTES) await this.drop();
    signal?.throwIfAborted();
    const { outcome } = reply;
    if ("fault" in outcome) throw restored(outcome.fault);
    return outcome.value;
  }

  /** Ends the thread and frees its memory; the next call starts another. */
  async drop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#number = undefined;
    // A crash may be reported a second time, which is ignored.
    worker?.on("error", () => {});
    if (worker !== undefined) this.#ended = worker.terminate();
    await this.#ended;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./picture_thread.ts", import.meta.url));
    worker.on("message", (message: Greeting | object) => {
      if (worker !== this.#worker || !("threadNumber" in message)) return;
      this.#number = message.threadNumber;
    });
    return worker;
  }

  #exchange(
    worker: Worker,
    call: Call,
    signal: AbortSignal | undefined,
  ): Promise<Reply | Loss> {
    const { promise, resolve } = Promise.withResolvers<Reply | Loss>();
    const onMessage = (message: object) => {
      // The thread sends no other messages.
      if (!("threadNumber" in message)) resolve(unpack(message) as Reply);
    };
    const onCrash = () => resolve("crashed");
    const deadline = new WorkDeadline(
      this.#options.deadlineMs(call),
      threadClock(() => this.#number, this.#options.now),
    );
    const stopWatching = watch(deadline, resolve);
    let abandoned: ReturnType<typeof setTimeout> | undefined;
    // Most calls end sooner than another thread starts.
    const onAbort = () => {
      abandoned = setTimeout(() => resolve("abandoned"), ABANDONED_MS);
    };
    worker.on("message", onMessage);
    worker.once("error", onCrash);
    worker.once("exit", onCrash);
    signal?.addEventListener("abort", onAbort, { once: true });
    const { packed, buffers } = pack(call);
    worker.postMessage(packed, buffers);
    return promise.finally(() => {
      stopWatching();
      clearTimeout(abandoned);
      signal?.removeEventListener("abort", onAbort);
      worker.off("message", onMessage);
      worker.off("error", onCrash);
      worker.off("exit", onCrash);
    });
  }
}

function lost({ method }: Call, how: Loss): Error {
  if (how === "stalled") {
    return new OverloadedError(
      STALLED_RETRY_S,
      "the machine is too busy to compute pictures",
    );
  }
  const what = how === "late"
    ? "it takes the codec far longer than its size explains"
    : "it made the codec crash";
  return method === "decodeImage" || method === "decodeFrames"
    ? new ImageError(what)
    : new RuntimeError(`Cannot run ${method}: ${what}`);
}

/** Returns the error that the thread threw. */
function restored({ code, name, message }: Fault): Error {
  // The classes add their own prefix "Cannot … picture: ".
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
