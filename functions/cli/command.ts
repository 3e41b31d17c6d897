/**
 * The interface of a command: words are checked before models are loaded.
 *
 * @module
 */

import type { Endpoint } from "./endpoint.ts";
import type { ProgressLine } from "./progress_line.ts";

/** The context that a command works in. */
export interface CommandContext {
  /** Server that requests are sent to. */
  readonly endpoint: Endpoint;
  /** Line of progress and notices, on standard error. */
  readonly progress: ProgressLine;
  /** Writes a line of a result to standard output. */
  readonly say: (line: string) => void;
  /** Reads standard input as text, without the newline at its end. */
  readonly readText: () => Promise<string>;
}

/** A command of the command line. */
export interface Command {
  /** Text of its `--help`. */
  readonly usage: string;
  /**
   * Checks the words, without the command's name, and returns the work, which
   * resolves with the exit code.
   *
   * @throws {SyntaxError} If an argument is invalid.
   */
  readonly prepare: (
    words: readonly string[],
  ) => (context: CommandContext) => Promise<number>;
}

/**
 * Returns the number that the option `name` holds; undefined without one.
 *
 * @throws {SyntaxError} If its value is no number.
 */
export function numberOf(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new SyntaxError(`--${name} "${text}" is not a number`);
}
