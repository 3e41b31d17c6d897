/**
 * The hashing of many files on all cores.
 *
 * @module
 */

import { type FileHashes, hashFile, type HashJob } from "./hash_file.ts";
import type { HashNews } from "./hash_thread.ts";

/** The result for a file: its hashes, or an error. */
export type Hashed =
  | { readonly type: "hashes"; readonly hashes: FileHashes }
  | { readonly type: "failure"; readonly reason: string };

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
  { threads, onBytes, signal }: HashOptions,
): Promise<Hashed[]> {
  const outcomes = new Array<Hashed>(jobs.length);
  const next = jobs.entries();
  const work = async () => {
    using threads = new DisposableStack();
    let thread: HashThread | undefined;
    // All workers draw from one iterator.
    for (const [index, job] of next) {
      signal.throwIfAborted();
      if (await isSmall(job)) {
        outcomes[index] = await hashHere(job, onBytes);
      } else {
        thread ??= threads.use(new HashThread());
        outcomes[index] = await thread.hash(job, onBytes, signal);
      }
    }
  };
  const count = Math.min(threads, jobs.length);
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

async function hashHere(
  job: HashJob,
  onBytes: (bytes: number) => void,
): Promise<Hashed> {
  try {
    return { type: "hashes", hashes: await hashFile(job, onBytes) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it failed";
    return { type: "failure", reason };
  }
}

/** A thread and the port to it. */
class HashThread implements Disposable {
  readonly #worker: Worker;
  readonly #port: MessagePort;

  constructor() {
    this.#worker = new Worker(new URL("./hash_thread.ts", import.meta.url), {
      type: "module",
    });
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage(undefined, [port2]);
    this.#port = port1;
  }

  async hash(
    job: HashJob,
    onBytes: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Hashed> {
    const { promise, resolve, reject } = Promise.withResolvers<Hashed>();
    const onAbort = () => reject(signal.reason);
    const onError = (event: ErrorEvent) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    this.#port.onmessage = ({ data }: MessageEvent<HashNews>) => {
      if (data.type === "bytes") onBytes(data.bytes);
      else resolve(data);
    };
    this.#worker.addEventListener("error", onError);
    signal.addEventListener("abort", onAbort);
    this.#port.postMessage(job);
    try {
      return await promise;
    } finally {
      this.#worker.removeEventListener("error", onError);
      signal.removeEventListener("abort", onAbort);
    }
  }

  [Symbol.dispose](): void {
    this.#port.close();
    this.#worker.terminate();
  }
}
