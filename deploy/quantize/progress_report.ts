/**
 * How far a long run is, told to people or to programs.
 *
 * ```text
 * terminal   [########            ] 40 %  312 MB/s  1 min 10 s left
 * otherwise  {"done_bytes":…,"total_bytes":…,"bytes_per_second":…,"seconds_left":…}
 * ```
 *
 * @module
 */

import type { QuantizeProgress } from "../../lib/quantization/quantize_checkpoint.ts";

/** How to report. */
export interface ReportOptions {
  /** Whether a person is looking: one line, written over and over. */
  readonly terminal: boolean;
  /** Takes text as it is. */
  readonly write: (text: string) => void;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Between two lines, in milliseconds. */
const TERMINAL_PAUSE_MS = 200;
const PROGRAM_PAUSE_MS = 5000;

const BAR_LENGTH = 24;

/** Says how far a run is, not too often. */
export class ProgressReport {
  readonly #options: ReportOptions;
  #first: { readonly at: number; readonly doneBytes: number } | undefined;
  #lastAt = -Infinity;
  #shown = false;

  /** Says nothing yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Takes note of a step, and shows it when the last was long enough ago. */
  show(progress: QuantizeProgress): void {
    const { terminal, write, now } = this.#options;
    const at = now();
    const { doneBytes, totalBytes } = progress;
    this.#first ??= { at, doneBytes };
    const pause = terminal ? TERMINAL_PAUSE_MS : PROGRAM_PAUSE_MS;
    if (at - this.#lastAt < pause && doneBytes < totalBytes) return;
    this.#lastAt = at;
    this.#shown = true;
    const seconds = (at - this.#first.at) / 1000;
    const rate = seconds > 0
      ? (doneBytes - this.#first.doneBytes) / seconds
      : 0;
    write(terminal ? barLine(progress, rate) : jsonLine(progress, rate));
  }

  /** Ends the line, if one was begun. */
  end(): void {
    const { terminal, write } = this.#options;
    if (terminal && this.#shown) write("\n");
  }
}

function barLine(
  { doneBytes, totalBytes }: QuantizeProgress,
  rate: number,
): string {
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const bar = "#".repeat(Math.floor(share * BAR_LENGTH)).padEnd(BAR_LENGTH);
  const left = rate === 0
    ? ""
    : `  ${clock((totalBytes - doneBytes) / rate)} left`;
  const percent = String(Math.floor(100 * share)).padStart(3);
  const line = `[${bar}] ${percent} %  ${Math.round(rate / 1e6)} MB/s${left}`;
  // Erases what a longer line has left behind.
  return `\r${line}\x1b[K`;
}

function jsonLine(
  { doneBytes, totalBytes }: QuantizeProgress,
  rate: number,
): string {
  const fields = {
    "done_bytes": doneBytes,
    "total_bytes": totalBytes,
    "bytes_per_second": Math.round(rate),
    "seconds_left": rate === 0
      ? null
      : Math.ceil((totalBytes - doneBytes) / rate),
  };
  return `${JSON.stringify(fields)}\n`;
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % 60} s`;
}
