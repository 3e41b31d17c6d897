/**
 * The progress of preparation, for terminals or for programs.
 *
 * ```text
 * terminal   prepared 1204, 3796 left, 35.2/s, 1 min 48 s left, 3 unusable
 * otherwise  {"event":"progress","done":1204,"left":3796,…}
 * ```
 *
 * @module
 */

import { formatSeconds } from "../cache/progress.ts";
import type { OutputCounts } from "./output/history.ts";
import type { PreparationProgress } from "./prepare_data.ts";
import type { ReportOptions } from "../models/report.ts";

/** Milliseconds between two lines. */
const TERMINAL_PAUSE_MS = 200;
const PROGRAM_PAUSE_MS = 2000;

/** A reporter of progress. */
export class ProgressReport {
  readonly #output: ReportOptions;
  readonly #startAt: number;
  #lastAt = -Infinity;
  #shown = false;

  /** Creates a reporter; time counts from now on. */
  constructor(output: ReportOptions) {
    this.#output = output;
    this.#startAt = output.now();
  }

  /** Reports progress, at a limited rate. */
  show(
    { done, left }: PreparationProgress,
    { failed, duplicates }: OutputCounts,
  ): void {
    const { terminal, write, now } = this.#output;
    const at = now();
    const pause = terminal ? TERMINAL_PAUSE_MS : PROGRAM_PAUSE_MS;
    if (at - this.#lastAt < pause && left > 0) return;
    this.#lastAt = at;
    const seconds = Math.max(at - this.#startAt, 1) / 1000;
    const rate = done / seconds;
    if (!terminal) {
      const event = {
        ...{ event: "progress", done, left, failed, duplicates },
        "per_second": round(rate),
        "seconds_left": Math.ceil(left / rate),
      };
      return write(`${JSON.stringify(event)}\n`);
    }
    const parts = [
      `prepared ${done}`,
      `${left} left`,
      `${round(rate)}/s`,
      `${formatSeconds(left / rate)} left`,
      ...(failed > 0 ? [`${failed} unusable`] : []),
    ];
    this.#shown = true;
    write(`\r${parts.join(", ")}\x1b[K`);
  }

  /** Removes the line of a terminal. */
  clear(): void {
    if (this.#shown) this.#output.write("\r\x1b[K");
    this.#shown = false;
  }
}

function round(rate: number): number {
  return Number(rate.toPrecision(3));
}
