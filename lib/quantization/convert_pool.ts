/**
 * The pool of worker threads that convert chunks.
 *
 * They are web workers, because those of `node:worker_threads` copy transferred
 * buffers, a thousand times slower.
 *
 * @module
 */

import { webWorker, WorkerClient } from "../async/worker_client.ts";
import type { ConvertMethods, Job } from "./convert_thread.ts";

type Thread = WorkerClient<ConvertMethods>;

/** Distributes chunks among threads. */
export class ConvertPool implements Disposable {
  readonly #all: readonly Thread[];
  readonly #idle: Thread[];
  readonly #waiting: ((thread: Thread) => void)[] = [];

  /** Starts `size` threads, 1 or more. */
  constructor(size: number) {
    this.#all = Array.from({ length: size }, start);
    this.#idle = [...this.#all];
  }

  /** Number of threads. */
  get size(): number {
    return this.#all.length;
  }

  /**
   * Returns the results of a chunk.
   *
   * @param job The chunk; its bytes are transferred.
   * @throws {RangeError} If it cannot be converted.
   */
  async convert(job: Job): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    const thread = this.#idle.pop() ??
      await new Promise<Thread>((resolve) => this.#waiting.push(resolve));
    try {
      return await thread.call("convert", job, { moved: [job.bytes.buffer] });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  /** Stops all threads at once. */
  [Symbol.dispose](): void {
    for (const thread of this.#all) thread[Symbol.dispose]();
  }
}

function start(): Thread {
  const url = new URL("./convert_thread.ts", import.meta.url);
  return new WorkerClient(webWorker(url, "convert"), "converting thread");
}
