/**
 * The progress of a run, for terminals or for logs.
 *
 * ```text
 * terminal   [######        ] 120/400  loss 3.214  1,840 tokens/s  4 min left
 * otherwise  a line of JSON every few seconds
 * ```
 *
 * @module
 */

import { formatSeconds } from "../cache/progress.ts";
import type { MetricsLine } from "./metrics.ts";

/** The options of a progress line. */
export interface ProgressLineOptions {
  /** True if the output is a terminal. */
  readonly terminal: boolean;
  /** Number of all steps. */
  readonly steps: number;
  /** Writes text unchanged. */
  readonly write: (text: string) => void;
}

const BAR_LENGTH = 20;

/** Steps whose rate and loss are averaged. */
const WINDOW = 20;

/** Seconds between two lines of a log. */
const LOG_SECONDS = 5;

/** Shows the progress of a run. */
export class ProgressLine {
  readonly #options: ProgressLineOptions;
  readonly #recent: MetricsLine[] = [];
  #unsaid = Infinity;
  #shown = false;

  /** Creates a line; nothing is written yet. */
  constructor(options: ProgressLineOptions) {
    this.#options = options;
  }

  /** Shows a step. */
  show(line: MetricsLine): void {
    const { terminal, steps, write } = this.#options;
    this.#recent.push(line);
    if (this.#recent.length > WINDOW) this.#recent.shift();
    const { rate, secondsLeft, loss } = this.#averages(line);
    if (terminal) {
      const filled = Math.floor(line.step / steps * BAR_LENGTH);
      const bar = "#".repeat(filled).padEnd(BAR_LENGTH);
      write(
        `\r[${bar}] ${line.step}/${steps}  loss ${loss.toFixed(3)}  ${
          Math.round(rate).toLocaleString("en")
        } tokens/s  ${formatSeconds(secondsLeft)} left\x1b[K`,
      );
      this.#shown = true;
      return;
    }
    this.#unsaid += line.seconds;
    if (this.#unsaid < LOG_SECONDS && line.step < steps) return;
    this.#unsaid = 0;
    write(`${
      JSON.stringify({
        event: "progress",
        steps,
        ...line,
        tokens_per_second: Math.round(rate),
        seconds_left: Math.round(secondsLeft),
      })
    }\n`);
  }

  /** Writes a line of words, or of JSON to a log. */
  say(event: string, words: string): void {
    const { terminal, write } = this.#options;
    if (!terminal) {
      write(`${JSON.stringify({ event, words })}\n`);
      return;
    }
    write(`${this.#shown ? "\r\x1b[K" : ""}${words}\n`);
    this.#shown = false;
  }

  #averages(line: MetricsLine) {
    const sum = (field: "tokens" | "seconds" | "loss") =>
      this.#recent.reduce((sum, line) => sum + line[field], 0);
    const seconds = sum("seconds");
    const left = this.#options.steps - line.step;
    return {
      loss: sum("loss") / this.#recent.length,
      rate: seconds === 0 ? 0 : sum("tokens") / seconds,
      secondsLeft: left * seconds / this.#recent.length,
    };
  }
}
