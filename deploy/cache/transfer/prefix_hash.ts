/**
 * The SHA-256 of a file that is still coming.
 *
 * ```text
 * parts     ████ ████ ████ ░░░░ ████ ░░░░
 * front     ─────────────▶
 * hash      ────────▶              in a thread of its own, out of the page cache
 * ```
 *
 * SHA-256 goes from the first byte to the last, in one thread, so a start that
 * hashed a whole file at its end would wait for it. Following the front, the
 * hash is there about when the last byte is.
 *
 * @module
 */

import type { FrontReply, FrontRequest } from "./prefix_worker.ts";

/** A hash that follows a file. */
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
   * Of `size` bytes at `path`, none of which need be there yet.
   *
   * @param onAt Hears how many bytes are hashed.
   */
  constructor(
    path: string,
    size: number,
    onAt: (bytes: number) => void = () => {},
  ) {
    this.#path = path;
    this.#size = size;
    // Whoever gave up before the end does not ask for it.
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

  /** The hash in hex, once all has come. */
  get result(): Promise<string> {
    return this.#result.promise;
  }

  /** Notes that the first `front` bytes are written, for good. */
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
