/**
 * The command line of `deno task adapters`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";

/** The arguments of `merge`. */
export interface MergeArguments {
  /** Folder of the adapter. */
  readonly adapter: string;
  /** Folder of the base, or any source that the server accepts. */
  readonly model: string;
  /** Folder of the result. */
  readonly target: string;
}

/** Usage text of the command. */
export const USAGE =
  `Usage: deno task adapters merge <adapter> --model <checkpoint> --out <folder>

Adds a LoRA adapter to the weights of its base model: a checkpoint of the same
layout, which every tool opens without the adapter.

  <adapter>      folder with adapter_config.json and adapter_model.safetensors
  --model        the base: a folder, or a source as for the server's MODEL
  --out          folder of the result; it must not exist yet`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): MergeArguments {
  const { values, positionals } = read(words);
  const [verb, adapter, ...others] = positionals;
  if (verb !== "merge") {
    throw usageError(
      verb === undefined
        ? "the command is missing, expected merge"
        : `"${verb}" is no command, expected merge`,
    );
  }
  if (adapter === undefined) throw usageError("the adapter is missing");
  if (others.length > 0) {
    throw usageError(`"${others[0]}" is unexpected: one adapter at a time`);
  }
  if (!values.model) throw usageError("--model is missing");
  if (!values.out) throw usageError("--out is missing");
  return { adapter, model: values.model, target: values.out };
}

function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("adapters", reason, USAGE, options);
}

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, {
      model: { type: "string" },
      out: { type: "string" },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw usageError(reason, { cause });
  }
}
