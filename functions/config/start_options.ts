/**
 * The options of `deno task start`: every environment variable under its own
 * name, `--port 9000` for `PORT=9000`. Secrets stay in the environment, since
 * command lines are visible to other users of a machine.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";
import { helpText } from "../env.ts";
import { VARIABLES } from "../variables.ts";

/** Variables that no option may set. */
const SECRETS: ReadonlySet<string> = new Set([
  "API_KEYS",
  "HF_TOKEN",
  "WEBHOOK_SECRET",
  "WORKFLOWS_TOKEN",
  "RUNPOD_AI_API_KEY",
]);

/** The options of `task start` besides variables. */
export interface StartOptions {
  /** True for `--help`. */
  readonly help: boolean;
  /** True for `--version`. */
  readonly version: boolean;
  /** Values by the name of their variable. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Returns the option that sets the variable `name`. */
export function optionOf(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/**
 * Parses the words after `deno task start`.
 *
 * @throws {UsageError} If a word or an option is unknown.
 */
export function parseStartOptions(words: readonly string[]): StartOptions {
  const names = Object.keys(VARIABLES);
  const byOption = new Map(
    names.filter((name) => !SECRETS.has(name))
      .map((name) => [optionOf(name), name]),
  );
  const secret = [...SECRETS].find((name) =>
    words.some((word) => word.split("=")[0] === `--${optionOf(name)}`)
  );
  if (secret !== undefined) {
    throw misused(
      `--${
        optionOf(secret)
      } would expose a secret in the process list; set ${secret} in the environment`,
    );
  }
  const { values, positionals } = read(words, [...byOption.keys()]);
  const [stray] = positionals;
  if (stray !== undefined) {
    throw misused(
      `unexpected argument "${stray}"; expected options such as --port 9000`,
    );
  }
  const variables = new Map<string, string>();
  for (const [option, value] of Object.entries(values)) {
    const name = byOption.get(option);
    if (name !== undefined) variables.set(name, String(value));
  }
  return {
    help: values["help"] === true,
    version: values["version"] === true,
    variables,
  };
}

function read(words: readonly string[], options: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseCommandLine(words, {
      ...Object.fromEntries(options.map((option) => [option, text])),
      help: flag,
      version: flag,
    });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw misused(cause.message, cause);
  }
}

function misused(reason: string, cause?: unknown): UsageError {
  const [, usage = ""] = /^(Usage:.*)$/m.exec(helpText()) ?? [];
  return new UsageError(
    "start",
    reason,
    `${usage}\nOptions: deno task start --help`,
    { cause },
  );
}
