/**
 * The pool of threads that convert bands on every core.
 *
 * These are web workers: those of `node:worker_threads` copy transferred
 * buffers, a thousand times slower.
 *
 * @module
 */

import type { ConvertOutcome, Job } from "./convert_thread.ts";

/** A thread and its port. */
interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** Distributes bands among equal threads. */
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
   * Returns the results of a band.
   *
   * @param job The band; its bytes are transferred.
   * @throws {RangeError} If it cannot be converted.
   */
  async convert(job: Job): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    const thread = this.#idle.pop() ??
      await new Promise<Thread>((resolve) => this.#waiting.push(resolve));
    try {
      const outcome = await exchange(thread, job);
      if ("parts" in outcome) return outcome.parts;
      throw new RangeError(outcome.reason);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  /** Stops all threads at once. */
  [Symbol.dispose](): void {
    for (const { worker, port } of this.#all) {
      port.close();
      worker.terminate();
    }
  }
}

function start(): Thread {
  const worker = new Worker(new URL("./convert_thread.ts", import.meta.url), {
    type: "module",
  });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(undefined, [port2]);
  return { worker, port: port1 };
}

async function exchange(
  { worker, port }: Thread,
  job: Job,
): Promise<ConvertOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<ConvertOutcome>();
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  port.onmessage = ({ data }: MessageEvent<ConvertOutcome>) => resolve(data);
  worker.addEventListener("error", onError);
  port.postMessage(job, [job.bytes.buffer]);
  try {
    return await promise;
  } finally {
    worker.removeEventListener("error", onError);
  }
}
