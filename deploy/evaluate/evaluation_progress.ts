/**
 * The progress of an evaluation, for terminals or for programs.
 *
 * ```text
 * terminal   loss: 120 of 400, 31 s left, 2 unusable
 * otherwise  {"event":"progress","measure":"loss","done":120,"total":400,…}
 * ```
 *
 * @module
 */

import { formatSeconds } from "../cache/progress.ts";
import type { ReportOptions } from "../models/report.ts";
import type { UnusableRecord } from "./measured_records.ts";

/** Milliseconds between two lines. */
const TERMINAL_PAUSE_MS = 200;
const PROGRAM_PAUSE_MS = 2000;

/** A reporter of the progress of one measure. */
export class EvaluationProgress {
  readonly #measure: string;
  readonly #total: number | undefined;
  readonly #output: ReportOptions;
  readonly #startAt: number;
  #lastAt = -Infinity;
  #done = 0;
  #unusable = 0;
  #shown = false;

  /**
   * Creates a reporter; time counts from now on.
   *
   * @param total Number of records; undefined if it is unknown.
   */
  constructor(
    measure: string,
    total: number | undefined,
    output: ReportOptions,
  ) {
    this.#measure = measure;
    this.#total = total;
    this.#output = output;
    this.#startAt = output.now();
  }

  /** Counts a record, and writes its fault if it has one. */
  count(unusable: UnusableRecord | undefined): void {
    this.#done++;
    if (unusable !== undefined) {
      this.#unusable++;
      this.clear();
      const { record, reason } = unusable;
      this.#write({ event: "unusable", ...unusable }, `${record}: ${reason}\n`);
    }
    const { terminal, now } = this.#output;
    const pause = terminal ? TERMINAL_PAUSE_MS : PROGRAM_PAUSE_MS;
    if (now() - this.#lastAt < pause && this.#done !== this.#total) return;
    this.#lastAt = now();
    this.#show();
  }

  /** Removes the line of a terminal. */
  clear(): void {
    if (this.#shown) this.#output.write("\r\x1b[K");
    this.#shown = false;
  }

  #show(): void {
    const measure = this.#measure;
    const done = this.#done;
    const total = this.#total;
    const seconds = (this.#output.now() - this.#startAt) / 1000;
    const left = total && seconds / done * (total - done);
    const parts = [
      `${measure}: ${done}${total === undefined ? "" : ` of ${total}`}`,
      ...left === undefined ? [] : [`${formatSeconds(left)} left`],
      ...this.#unusable > 0 ? [`${this.#unusable} unusable`] : [],
    ];
    const event = {
      ...{ event: "progress", measure, done, unusable: this.#unusable },
      ...left === undefined ? {} : { total, "seconds_left": Math.ceil(left) },
    };
    this.#write(event, `\r${parts.join(", ")}\x1b[K`);
    this.#shown = this.#output.terminal;
  }

  #write(event: Readonly<Record<string, unknown>>, words: string): void {
    const { terminal, write } = this.#output;
    write(terminal ? words : `${JSON.stringify(event)}\n`);
  }
}
