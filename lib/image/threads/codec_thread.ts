/**
 * The client of a thread that runs the picture codec, one call at a time.
 *
 * A crafted file can trap or stall a decoder: the thread is then dropped, the
 * call fails, and the next call starts a new thread. A thread is also dropped
 * when a call is abandoned, and when it holds too much memory, since
 * WebAssembly memory never shrinks.
 *
 * ```text
 * call ─▶ thread ─▶ reply
 *           └ deadline, crash or abort ─▶ thread dropped, error
 * ```
 *
 * @module
 */

import { type NodeWorker, nodeWorker } from "../../async/node_worker.ts";
import { WorkerClient, WorkerEndedError } from "../../async/worker_client.ts";
import type { Fault } from "../../async/worker_methods.ts";
import {
  ImageError,
  ImageSizeError,
  ImageTooLargeError,
  OverloadedError,
  RuntimeError,
} from "../../errors.ts";
import { pack, unpack } from "./picture_message.ts";
import type { Call, CodecReply, PictureMethods } from "./picture_thread.ts";
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
  readonly onLoss: (call: Call, loss: Loss) => void;
}

/** Milliseconds after which the thread of an abandoned call is dropped. */
const ABANDONED_MS = 200;

/** The maximum memory of a thread that is kept between two calls, in bytes. */
const MAX_KEPT_BYTES = 2 ** 26;

/** Retry-After seconds of a stalled call. */
const STALLED_RETRY_S = 30;

/** A worker and its client. */
interface Running {
  readonly worker: NodeWorker;
  readonly client: WorkerClient<PictureMethods>;
}

/** Runs calls of the codec; its thread starts with the first. */
export class CodecThread {
  readonly #options: CodecThreadOptions;
  #running: Running | undefined;
  #number: number | undefined;
  #ended: Promise<unknown> | undefined;
  #heldBytes = 0;

  /** Creates the client; the thread is not started. */
  constructor(options: CodecThreadOptions) {
    this.#options = options;
  }

  /** Bytes that the thread holds between calls; 0 without a thread. */
  get heldBytes(): number {
    return this.#running === undefined ? 0 : this.#heldBytes;
  }

  /** Returns true if the thread runs. */
  get started(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Runs `call`.
   *
   * @throws The error of the codec, if its class is known.
   * @throws {ImageError} If a file crashes the codec or exceeds its deadline.
   * @throws {OverloadedError} If the thread received too little CPU time.
   * @throws The signal's reason if it aborts first.
   */
  async run(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    const { worker, client } = this.#running ??= this.#start();
    worker.ref();
    const reply = await this.#exchange(client, call, signal);
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
    const running = this.#running;
    this.#running = undefined;
    this.#number = undefined;
    if (running !== undefined) this.#ended = running.client.close();
    await this.#ended;
  }

  #start(): Running {
    const worker = nodeWorker(new URL("./picture_thread.ts", import.meta.url));
    const client = new WorkerClient<PictureMethods>(worker, "picture thread");
    client.call("number", undefined).then((number) => {
      if (client === this.#running?.client) this.#number = number;
    }, () => {}); // The call that started the thread reports its end.
    return { worker, client };
  }

  async #exchange(
    client: WorkerClient<PictureMethods>,
    call: Call,
    signal: AbortSignal | undefined,
  ): Promise<CodecReply | Loss> {
    const { promise, resolve, reject } = Promise.withResolvers<
      CodecReply | Loss
    >();
    const deadline = new WorkDeadline(
      this.#options.deadlineMs(call),
      threadClock(() => this.#number, this.#options.now),
    );
    const stopWatching = watch(deadline, resolve);
    let abandoned: ReturnType<typeof setTimeout> | undefined;
    // Most calls end before a new thread would have started.
    const onAbort = () => {
      abandoned = setTimeout(() => resolve("abandoned"), ABANDONED_MS);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const { packed, buffers } = pack(call);
    client.call("run", packed, { moved: buffers }).then(
      // The thread sends no other replies.
      (reply) => resolve(unpack(reply) as CodecReply),
      (error) =>
        error instanceof WorkerEndedError ? resolve("crashed") : reject(error),
    );
    try {
      return await promise;
    } finally {
      stopWatching();
      clearTimeout(abandoned);
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function lost({ method }: Call, loss: Loss): Error {
  if (loss === "stalled") {
    return new OverloadedError(
      STALLED_RETRY_S,
      "the machine is too busy to process images; retry later",
    );
  }
  const what = loss === "late"
    ? "it takes far longer to process than expected for its size"
    : "it crashed the codec";
  return method === "decodeImage" || method === "decodeFrames"
    ? new ImageError(what)
    : new RuntimeError(`Cannot run ${method}: ${what}`);
}

/** Returns the error that the thread threw. */
function restored({ name, message, fields }: Fault): Error {
  // The constructors add the prefix "Cannot … image: ".
  const detail = message.replace(/^Cannot \w+ image: /, "");
  switch (fields.code) {
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
