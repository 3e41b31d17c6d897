/**
 * The command-line parser: options by name; the error for an unknown one
 * suggests the nearest name.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { suggestion } from "./nearest_name.ts";

/** Options by their long name, as `node:util` takes them. */
export type OptionTypes = NonNullable<ParseArgsConfig["options"]>;

/** The parsed words of a command. */
export type CommandLine<O extends OptionTypes> = ReturnType<
  typeof parseArgs<
    {
      args: string[];
      options: O;
      allowPositionals: true;
      strict: true;
    }
  >
>;

/** An error for a command line that cannot be executed. */
export class UsageError extends Error {
  /**
   * Creates an error that states the problem and the usage of the command.
   *
   * @param command Name of the command, after `deno task`.
   * @param usage The text of its `--help`.
   */
  constructor(
    command: string,
    reason: string,
    usage: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot run ${command}: ${reason}\n\n${usage}`, options);
    this.name = "UsageError";
  }
}

/**
 * Parses `words`.
 *
 * @throws {SyntaxError} If an option is unknown, lacks its value or has a value
 * that it does not take.
 */
export function parseCommandLine<const O extends OptionTypes>(
  words: readonly string[],
  options: O,
): CommandLine<O> {
  const names = Object.keys(options);
  for (const word of words) {
    if (word === "--") break;
    const [, name] = /^--([^=]+)/.exec(word) ?? [];
    if (name !== undefined && !names.includes(name)) {
      const hint = suggestion(name, names, "--");
      throw new SyntaxError(`unknown option --${name}${hint}`);
    }
  }
  try {
    return parseArgs({
      args: [...words],
      options,
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new SyntaxError(reason, { cause });
  }
}

/**
 * Returns the whole number of an option; undefined if it is not given.
 *
 * @param option Name of the option, without its dashes.
 * @param least The least number that it may be.
 * @throws {SyntaxError} If it is no such number.
 */
export function wholeNumber(
  option: string,
  text: string | undefined,
  least: number = 1,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) {
    return value;
  }
  throw new SyntaxError(
    `--${option} "${text}" is not a whole number of ${least} or more`,
  );
}
