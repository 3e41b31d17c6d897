/**
 * What a command tells, to people or to programs.
 *
 * ```text
 * terminal   [########            ] 40 %  312 MB/s  1 min 10 s left
 *            words, a line each
 * otherwise  {"event":"progress","bytes":…,"total_bytes":…}
 *            {"event":…, …}
 * ```
 *
 * @module
 */

import { formatBytes, formatSeconds } from "../cache/progress.ts";

/** How to report. */
export interface ReportOptions {
  /** Whether a person is looking. */
  readonly terminal: boolean;
  /** Takes text as it is. */
  readonly write: (text: string) => void;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Something that has happened. */
export interface ReportedEvent {
  /** What it is, such as `pulled`. */
  readonly event: string;
  /** More of it; of text, numbers and lists. */
  readonly [field: string]: unknown;
}

/** How far something is. */
export interface Progress {
  /** What is done, for people. */
  readonly what: string;
  /** Bytes that are done. */
  readonly bytes: number;
  /** Bytes in all; undefined while that is not known. */
  readonly totalBytes: number | undefined;
}

/** Between two lines of how far it is, in milliseconds. */
const TERMINAL_PAUSE_MS = 200;
const PROGRAM_PAUSE_MS = 1000;

const BAR_LENGTH = 24;

/** Tells what happens. */
export class Report {
  readonly #options: ReportOptions;
  #first: { readonly at: number; readonly progress: Progress } | undefined;
  #lastAt = -Infinity;
  #barShown = false;

  /** Says nothing yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Tells of an event: to people in words, of several lines perhaps. */
  tell(event: ReportedEvent, words: string): void {
    const { terminal, write } = this.#options;
    this.#clearBar();
    write(terminal ? `${words}\n` : `${JSON.stringify(event)}\n`);
  }

  /** Tells how far it is, not too often. */
  progress(progress: Progress): void {
    const { terminal, write, now } = this.#options;
    const at = now();
    if (this.#first?.progress.what !== progress.what) {
      this.#first = { at, progress };
    }
    const ended = progress.bytes === progress.totalBytes;
    const pause = terminal ? TERMINAL_PAUSE_MS : PROGRAM_PAUSE_MS;
    if (at - this.#lastAt < pause && !ended) return;
    this.#lastAt = at;
    if (!terminal) {
      write(`${
        JSON.stringify({
          event: "progress",
          what: progress.what,
          bytes: progress.bytes,
          total_bytes: progress.totalBytes ?? null,
        })
      }\n`);
      return;
    }
    const seconds = (at - this.#first!.at) / 1000;
    const done = progress.bytes - this.#first!.progress.bytes;
    write(barLine(progress, seconds > 0 ? done / seconds : 0));
    this.#barShown = true;
  }

  #clearBar(): void {
    if (this.#barShown) this.#options.write("\r\x1b[K");
    this.#barShown = false;
  }
}

function barLine({ what, bytes, totalBytes }: Progress, rate: number): string {
  // Erases what a longer line has left behind.
  const line = (text: string) => `\r${text}\x1b[K`;
  if (totalBytes === undefined) return line(`${what} ${formatBytes(bytes)}`);
  const share = totalBytes === 0 ? 1 : bytes / totalBytes;
  const bar = "#".repeat(Math.floor(share * BAR_LENGTH)).padEnd(BAR_LENGTH);
  const percent = String(Math.floor(100 * share)).padStart(3);
  const left = rate > 0
    ? `  ${formatSeconds((totalBytes - bytes) / rate)} left`
    : "";
  return line(
    `${what} [${bar}] ${percent} %  ${formatBytes(Math.round(rate))}/s${left}`,
  );
}
