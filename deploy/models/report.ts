/**
 * The report of a command, for terminals or for programs.
 *
 * ```text
 * terminal   [########            ] 40 %  312 MB/s  1 min 10 s left
 *            words, one event per line
 * otherwise  {"event":"progress","bytes":…,"total_bytes":…}
 *            {"event":…, …}
 * ```
 *
 * @module
 */

import { formatBytes, formatSeconds } from "../cache/progress.ts";

/** The options of a report. */
export interface ReportOptions {
  /** True if the output is a terminal. */
  readonly terminal: boolean;
  /** Writes text unchanged. */
  readonly write: (text: string) => void;
  /** Clock, in milliseconds. */
  readonly now: () => number;
}

/** An event to report. */
export interface ReportedEvent {
  /** Name of the event, such as `pulled`. */
  readonly event: string;
  /** Details of the event: text, numbers and lists. */
  readonly [field: string]: unknown;
}

/** The progress of an operation. */
export interface Progress {
  /** Name of the operation, for display. */
  readonly what: string;
  /** Bytes that are done. */
  readonly bytes: number;
  /** Bytes in all; undefined while unknown. */
  readonly totalBytes: number | undefined;
}

/** Milliseconds between two progress lines in a terminal. */
const TERMINAL_PAUSE_MS = 200;
const PROGRAM_PAUSE_MS = 1000;

const BAR_LENGTH = 24;

/** A reporter of events and progress. */
export class Report {
  readonly #options: ReportOptions;
  #first: { readonly at: number; readonly progress: Progress } | undefined;
  #lastAt = -Infinity;
  #barShown = false;

  /** Creates a reporter; writes nothing yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Reports an event: in a terminal as words, perhaps of several lines. */
  event(event: ReportedEvent, words: string): void {
    const { terminal, write } = this.#options;
    this.#clearBar();
    write(terminal ? `${words}\n` : `${JSON.stringify(event)}\n`);
  }

  /** Reports progress, at a limited rate. */
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
  // Erases the rest of a longer line.
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
