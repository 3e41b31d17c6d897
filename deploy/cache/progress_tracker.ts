/**
 * The tracker of a download's bytes, with throttled reports.
 *
 * @module
 */

import type { RemoteSnapshot } from "./net/remote.ts";
import type { ObtainProgress } from "./progress.ts";

const REPORT_MS = 100;

/** A counter over the bytes of all files, with throttled reports. */
export class ProgressTracker implements Disposable {
  readonly #total: number;
  readonly #place: string;
  readonly #onProgress: (progress: ObtainProgress) => void;
  #bytes = 0;
  #reportedAt = -Infinity;
  /** Timer that reports the last bytes if no more arrive. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** True while cached content is being hashed. */
  verifying = false;

  /** Creates a tracker for the listed files, none of which is here yet. */
  constructor(
    { files }: RemoteSnapshot,
    place: string,
    onProgress: (progress: ObtainProgress) => void,
  ) {
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    this.#place = place;
    this.#onProgress = onProgress;
  }

  /** Adds bytes that arrived; below 0 for discarded ones. */
  add(count: number): void {
    this.#bytes += count;
    if (performance.now() - this.#reportedAt > REPORT_MS) this.report();
    else this.#timer ??= setTimeout(() => this.report(), REPORT_MS);
  }

  /** Reports the progress. */
  report(): void {
    this[Symbol.dispose]();
    this.#reportedAt = performance.now();
    this.#onProgress({
      phase: this.verifying ? "verify" : "download",
      bytes: this.#bytes,
      totalBytes: this.#total,
      place: this.#place,
    });
  }

  /** Cancels the pending report. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
