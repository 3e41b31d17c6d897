/**
 * The progress line of a command: rewritten in place at a terminal, silent
 * elsewhere.
 *
 * @module
 */

/** A terminal, as the progress line uses it. */
export interface ProgressOutput {
  /** True for an interactive terminal. */
  readonly terminal: boolean;
  /** Writes text unchanged. */
  readonly write: (text: string) => void;
}

/** Control sequence that moves to the start of the line and clears it. */
const CLEAR = "\r\x1b[2K";

/** A line that shows the progress of a command. */
export class ProgressLine implements Disposable {
  readonly #output: ProgressOutput;
  #shown = false;

  /** Creates an empty line. */
  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** Replaces the line. */
  show(text: string): void {
    if (!this.#output.terminal) return;
    this.#shown = true;
    this.#output.write(`${CLEAR}${text}`);
  }

  /** Writes a permanent line. */
  print(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.#shown) this.#output.write(CLEAR);
    this.#shown = false;
  }

  /** Removes the line. */
  [Symbol.dispose](): void {
    this.clear();
  }
}
