/**
 * Bytes of a download, told now and then.
 *
 * @module
 */

import type { ObtainProgress } from "./obtain.ts";
import type { RemoteSnapshot } from "./net/remote.ts";

const TELL_MS = 100;

/** Bytes of all files together, told now and then. */
export class ProgressTracker implements Disposable {
  readonly #total: number;
  readonly #place: string;
  readonly #onProgress: (progress: ObtainProgress) => void;
  #bytes = 0;
  #told = -Infinity;
  /** Tells what came last, should no more come. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether what is here is being hashed. */
  verifying = false;

  /** Of what is listed, nothing of which is here yet. */
  constructor(
    { files }: RemoteSnapshot,
    place: string,
    onProgress: (progress: ObtainProgress) => void,
  ) {
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    this.#place = place;
    this.#onProgress = onProgress;
  }

  /** Notes bytes that are here; below 0 when some are thrown away. */
  add(count: number): void {
    this.#bytes += count;
    if (performance.now() - this.#told > TELL_MS) this.tell();
    else this.#timer ??= setTimeout(() => this.tell(), TELL_MS);
  }

  /** Says how far it is. */
  tell(): void {
    this[Symbol.dispose]();
    this.#told = performance.now();
    this.#onProgress({
      phase: this.verifying ? "verify" : "download",
      bytes: this.#bytes,
      totalBytes: this.#total,
      place: this.#place,
    });
  }

  /** Tells nothing by itself any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
