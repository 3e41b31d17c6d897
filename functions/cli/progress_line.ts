/**
 * The progress line of a command: rewritten in place at a terminal, silent
 * elsewhere.
 *
 * @module
 */

/** A terminal, as far as a progress line needs it. */
export interface ProgressOutput {
  /** True if a person looks. */
  readonly terminal: boolean;
  /** Writes text as it is. */
  readonly write: (text: string) => void;
}

/** Moves to the start of the line and clears it. */
const CLEAR = "\r\x1b[2K";

/** Shows how far a command is. */
export class ProgressLine implements Disposable {
  readonly #output: ProgressOutput;
  #shown = false;

  /** Shows nothing yet. */
  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** Replaces the line. */
  show(text: string): void {
    if (!this.#output.terminal) return;
    this.#shown = true;
    this.#output.write(`${CLEAR}${text}`);
  }

  /** Writes a line that stays. */
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
