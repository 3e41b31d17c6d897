/**
 * The interface of a command: words are checked before models are loaded.
 *
 * @module
 */

import type { Endpoint } from "./endpoint.ts";
import type { ProgressLine } from "./progress_line.ts";

/** Everything that a command works with. */
export interface CommandContext {
  /** The server that is asked. */
  readonly endpoint: Endpoint;
  /** Progress and notices, on standard error. */
  readonly progress: ProgressLine;
  /** Writes a result to standard output, a line. */
  readonly say: (line: string) => void;
  /** Reads standard input as text, without the newline at its end. */
  readonly readText: () => Promise<string>;
}

/** A command of the command line. */
export interface Command {
  /** Its `--help`. */
  readonly usage: string;
  /**
   * Checks the words, without the command's name, and returns the work, which
   * settles with the exit code.
   *
   * @throws {SyntaxError} With the reason, for words that cannot be used.
   */
  readonly prepare: (
    words: readonly string[],
  ) => (context: CommandContext) => Promise<number>;
}

/**
 * Returns the number that the option `name` holds; undefined without one.
 *
 * @throws {SyntaxError} For other text.
 */
export function numberOf(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new SyntaxError(`--${name} "${text}" is no number`);
}
