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

import type { FrontReply, FrontRequest } from "./prefix_worker.ts";

/** A hash that follows a growing file. */
export class PrefixHash implements Disposable {
  readonly #path: string;
  readonly #size: number;
  readonly #result = Promise.withResolvers<string>();
  readonly #worker = new Worker(
    new URL("./prefix_worker.ts", import.meta.url),
    {
      type: "module",
      name: "hash",
    },
  );
  #front = 0;

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
    // After a cancellation, no caller awaits the result.
    this.#result.promise.catch(() => {});
    this.#worker.onmessage = ({ data }: MessageEvent<FrontReply>) => {
      if (data.kind === "at") onAt(data.bytes);
      else if (data.kind === "hashed") this.#result.resolve(data.hex);
      else this.#fail(data.message);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  /** Resolves with the hash in hex, once all bytes are there. */
  get result(): Promise<string> {
    return this.#result.promise;
  }

  /** Reports that the first `front` bytes are written and final. */
  advance(front: number): void {
    if (front <= this.#front) return;
    this.#front = front;
    this.#worker.postMessage(
      { path: this.#path, size: this.#size, front } satisfies FrontRequest,
    );
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #fail(reason: string): void {
    this.#result.reject(new Error(`Cannot hash "${this.#path}": ${reason}`));
  }
}
