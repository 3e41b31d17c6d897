/**
 * The SHA-256 of a file during its download.
 *
 * ```text
 * parts     ████ ████ ████ ░░░░ ████ ░░░░
 * prefix    ─────────────▶
 * hash      ────────▶              in a thread of its own, out of the page cache
 * ```
 *
 * SHA-256 is sequential, so hashing the whole file after the last byte would
 * delay the start. Following the prefix, the hash is complete soon after the
 * last byte.
 *
 * @module
 */

import { webWorker, WorkerClient } from "../../../lib/async/worker_client.ts";
import type { PrefixMethods } from "./prefix_worker.ts";

/** A hash that follows a growing file. */
export class PrefixHash implements Disposable {
  readonly #path: string;
  readonly #size: number;
  readonly #result = Promise.withResolvers<string>();
  readonly #onAt: (bytes: number) => void;
  readonly #worker = new WorkerClient<PrefixMethods>(
    webWorker(new URL("./prefix_worker.ts", import.meta.url), "hash"),
    "hash thread",
  );
  #prefix = 0;

  /**
   * Creates a hash of `size` bytes at `path`, none of which need be there yet.
   *
   * @param onAt Called with the number of hashed bytes.
   */
  constructor(
    path: string,
    size: number,
    onAt: (bytes: number) => void = () => {},
  ) {
    this.#path = path;
    this.#size = size;
    this.#onAt = onAt;
    // After a cancellation, no caller awaits the result.
    this.#result.promise.catch(() => {});
  }

  /** Resolves with the hash in hex, once all bytes are there. */
  get result(): Promise<string> {
    return this.#result.promise;
  }

  /** Reports that the first `prefix` bytes are written and final. */
  advance(prefix: number): void {
    if (prefix <= this.#prefix) return;
    this.#prefix = prefix;
    const file = { path: this.#path, size: this.#size, prefix };
    this.#worker.call("advance", file, { onEvent: this.#onAt }).then(
      (hex) => {
        if (hex !== undefined) this.#result.resolve(hex);
      },
      (error: Error) => this.#fail(error.message),
    );
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    this.#worker[Symbol.dispose]();
  }

  #fail(reason: string): void {
    this.#result.reject(new Error(`Cannot hash "${this.#path}": ${reason}`));
  }
}
