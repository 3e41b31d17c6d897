/**
 * The hashing of many files on all cores.
 *
 * @module
 */

import { webWorker, WorkerClient } from "../../../lib/async/worker_client.ts";
import { type Hashed, type HashJob, tryToHash } from "./hash_file.ts";
import type { HashMethods } from "./hash_thread.ts";

/** Options for hashing files. */
export interface HashOptions {
  /** Files that are hashed concurrently, 1 or more. */
  readonly threads: number;
  /** Called with the number of bytes read. */
  readonly onBytes: (bytes: number) => void;
  /** Cancels the hashing. */
  readonly signal: AbortSignal;
}

/** Size in bytes from which files are hashed in threads. */
const BESIDE_BYTES = 2 ** 24;

/** Returns the result for each of `jobs`, in their order. */
export async function hashFiles(
  jobs: readonly HashJob[],
  options: HashOptions,
): Promise<Hashed[]> {
  const outcomes = new Array<Hashed>(jobs.length);
  const next = jobs.entries();
  const work = async () => {
    using threads = new DisposableStack();
    let thread: WorkerClient<HashMethods> | undefined;
    // All workers draw from one iterator.
    for (const [index, job] of next) {
      options.signal.throwIfAborted();
      if (await isSmall(job)) {
        outcomes[index] = await tryToHash(job, options.onBytes);
      } else {
        thread ??= threads.use(startThread());
        outcomes[index] = await hashIn(thread, job, options);
      }
    }
  };
  const count = Math.min(options.threads, jobs.length);
  await Promise.all(Array.from({ length: count }, work));
  return outcomes;
}

/** Returns true if hashing a file takes less time than starting a thread. */
async function isSmall({ path }: HashJob): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size < BESIDE_BYTES;
  } catch {
    // Hashing the file reports the error.
    return true;
  }
}

function startThread(): WorkerClient<HashMethods> {
  const url = new URL("./hash_thread.ts", import.meta.url);
  return new WorkerClient(webWorker(url, "hash"), "hash thread");
}

/** Hashes in a thread, which ends when `signal` aborts. */
async function hashIn(
  thread: WorkerClient<HashMethods>,
  job: HashJob,
  { onBytes, signal }: HashOptions,
): Promise<Hashed> {
  const stop = () => thread[Symbol.dispose]();
  signal.addEventListener("abort", stop);
  try {
    return await thread.call("hash", job, { signal, onEvent: onBytes });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
