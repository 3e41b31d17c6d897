/**
 * The picture codec on a pool of threads.
 *
 * A large picture takes seconds to decode, and meanwhile the server answers
 * other requests and decodes small pictures: one thread is reserved for small
 * pictures, and they pass waiting large ones. The pool does not limit memory;
 * its callers hold a share of the pixel budget.
 *
 * ```text
 * call ─▶ queue, by caller ─▶ a free thread ─▶ reply
 *           │ small ones first     └ idle ─▶ terminated
 *           └ abort ─▶ error
 * ```
 *
 * @module
 */

import { FairQueue } from "../../async/fair_queue.ts";
import { pixelsOf } from "./call_work.ts";
import { CodecThread, type Loss } from "./codec_thread.ts";
import type { CodecCall, PictureCodec } from "../picture_codec.ts";
import type { Call } from "./picture_thread.ts";

/** A codec that must be closed: `await using`. */
export interface PicturePool extends PictureCodec, AsyncDisposable {
  /** Returns the current load. */
  readonly state: () => PicturePoolState;
}

/** The load of a pool, and the number of its lost calls. */
export interface PicturePoolState {
  /** Number of threads that may run at once. */
  readonly threads: number;
  /** Number of threads that exist. */
  readonly started: number;
  /** Number of calls that run. */
  readonly running: number;
  /** Number of calls that wait. */
  readonly waiting: number;
  /** Number of calls that ended without a reply, by reason. */
  readonly lost: Readonly<Record<Loss, number>>;
}

/** Options of a pool. */
export interface PicturePoolOptions {
  /** A clock, in milliseconds. */
  readonly now: () => number;
  /** Number of calls that run at once; 2 by default. */
  readonly threads?: number | undefined;
  /**
   * CPU time that any call may take before its thread is dropped, in
   * milliseconds; `deadlineMsPerPixel` is added.
   */
  readonly deadlineMs?: number;
  /** CPU time added for each pixel, in milliseconds. */
  readonly deadlineMsPerPixel?: number;
  /** Milliseconds after which a thread without a call ends. */
  readonly idleMs?: number;
  /** Called with each call that ended without a reply. */
  readonly onLoss?: ((method: string, loss: Loss) => void) | undefined;
}

/**
 * CPU time that only a stalled codec takes, even on a machine ten times as
 * slow. Measured: 0.1 µs per pixel for writing GIF, at most 0.06 µs for all
 * other calls.
 */
const DEADLINE_MS = 10_000;
const DEADLINE_MS_PER_PIXEL = 1.5e-3;

/**
 * Milliseconds before an idle thread ends, long enough for the next picture of
 * one client.
 */
const IDLE_MS = 5000;

/** The maximum number of pixels of a small call, about 60 ms of work. */
const SMALL_PIXELS = 2 ** 20;

/**
 * The maximum memory of the last idle thread, which is kept for the next call,
 * in bytes.
 */
const KEPT_BYTES = 2 ** 25;

/** Opens a codec whose threads start on demand. */
export function openPicturePool(options: PicturePoolOptions): PicturePool {
  const pool = new Pool(options);
  return {
    decodeImage: (bytes, options, call) =>
      pool.call("decodeImage", [bytes, options], call),
    decodeFrames: (bytes, options, call) =>
      pool.call("decodeFrames", [bytes, options], call),
    resize: (image, size, call) => pool.call("resize", [image, size], call),
    encodePng: (image, options, call) =>
      pool.call("encodePng", [image, options], call),
    encodeJpeg: (image, options, call) =>
      pool.call("encodeJpeg", [image, options], call),
    encodeWebp: (image, options, call) =>
      pool.call("encodeWebp", [image, options], call),
    encodeGif: (image, options, call) =>
      pool.call("encodeGif", [image, options], call),
    state: () => pool.state,
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

class Pool {
  readonly #threads: readonly CodecThread[];
  readonly #free: Set<CodecThread>;
  readonly #idle = new Map<CodecThread, ReturnType<typeof setTimeout>>();
  readonly #idleMs: number;
  readonly #queue: FairQueue;
  readonly #calls = new Set<Promise<unknown>>();
  readonly #lost = { late: 0, stalled: 0, crashed: 0, abandoned: 0 };
  #closed = false;

  constructor(
    {
      now,
      threads = 2,
      deadlineMs = DEADLINE_MS,
      deadlineMsPerPixel = DEADLINE_MS_PER_PIXEL,
      idleMs = IDLE_MS,
      onLoss,
    }: PicturePoolOptions,
  ) {
    this.#threads = Array.from({ length: threads }, () =>
      new CodecThread({
        now,
        deadlineMs: (call) => deadlineMs + deadlineMsPerPixel * pixelsOf(call),
        onLoss: ({ method }, loss) => {
          this.#lost[loss]++;
          onLoss?.(method, loss);
        },
      }));
    this.#free = new Set(this.#threads);
    this.#idleMs = idleMs;
    this.#queue = new FairQueue({
      concurrency: threads,
      smallCost: SMALL_PIXELS,
    });
  }

  get state(): PicturePoolState {
    return {
      threads: this.#threads.length,
      started: this.#threads.filter(({ started }) => started).length,
      running: this.#queue.running,
      waiting: this.#queue.waiting,
      lost: { ...this.#lost },
    };
  }

  call<M extends keyof PictureCodec>(
    method: M,
    args: readonly unknown[],
    { signal, caller }: CodecCall = {},
  ): ReturnType<PictureCodec[M]> {
    const call: Call = { method, args };
    const turn = this.#closed
      ? Promise.reject(new TypeError("the image codec is closed"))
      : this.#queue.run(() => this.#run(call, signal), {
        signal,
        caller,
        cost: pixelsOf(call),
      });
    this.#calls.add(turn);
    const forget = () => void this.#calls.delete(turn);
    turn.then(forget, forget);
    // The value has the type of the method's result.
    return turn as ReturnType<PictureCodec[M]>;
  }

  /** Waits for pending calls, then stops the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#calls);
    for (const timer of this.#idle.values()) clearTimeout(timer);
    await Promise.all(this.#threads.map((thread) => thread.drop()));
  }

  async #run(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    const free = [...this.#free];
    // The queue runs no more calls than there are threads.
    const thread = free.find(({ started }) => started) ?? free[0]!;
    this.#free.delete(thread);
    clearTimeout(this.#idle.get(thread));
    try {
      return await thread.run(call, signal);
    } finally {
      this.#free.add(thread);
      this.#endWhenIdle(thread);
    }
  }

  #endWhenIdle(thread: CodecThread): void {
    const end = () => {
      const others = this.#threads.some((other) =>
        other !== thread && other.started
      );
      if (!others && thread.heldBytes <= KEPT_BYTES) return;
      // A call that arrives meanwhile starts a new thread.
      thread.drop();
    };
    const timer = setTimeout(end, this.#idleMs);
    Deno.unrefTimer(timer);
    this.#idle.set(thread, timer);
  }
}
