/**
 * The command line of `deno task quantize`.
 *
 * @module
 */

import { parseCommandLine, UsageError } from "../../lib/command_line.ts";
import {
  QUANTIZED_PRECISIONS,
  type QuantizedPrecision,
} from "../../lib/quantization/recipe.ts";

/** The arguments of the command. */
export interface QuantizeArguments {
  /** Folder of a checkpoint, or any source that the server accepts. */
  readonly source: string;
  /** Precision of the result. */
  readonly precision: QuantizedPrecision;
  /** Folder of the result. */
  readonly target: string;
  /** True if the scales of an int8 KV cache are calibrated and stored, too. */
  readonly kvScales: boolean;
}

/** Returns the error of an invalid command line, with the fault and the usage. */
function usageError(reason: string, options?: ErrorOptions): UsageError {
  return new UsageError("quantize", reason, USAGE, options);
}

/** Usage text of the command. */
export const USAGE = `Usage: deno task quantize <checkpoint> --precision ${
  QUANTIZED_PRECISIONS.join("|")
} --out <folder>

Stores a language model in fewer bits.

  <checkpoint>   a folder, or a source as for the server's MODEL:
                 org/name[@revision], hf://, s3://, gs://, https://
  --precision    precision of the weights in the result
  --out          folder of the result
  --kv-scales    calibrate the scales for KV_PRECISION=int8 and store them, too

An interrupted run continues when the same command is run again.`;

/**
 * Parses a command line.
 *
 * @throws {UsageError} When an argument is missing, unknown or superfluous.
 */
export function parseArguments(words: readonly string[]): QuantizeArguments {
  const { values, positionals } = read(words);
  const [source, ...others] = positionals;
  if (source === undefined) throw usageError("the checkpoint is missing");
  if (others.length > 0) {
    throw usageError(`"${others[0]}" is unexpected: one checkpoint at a time`);
  }
  const precision = QUANTIZED_PRECISIONS.find((known) =>
    known === values.precision
  );
  if (precision === undefined) {
    const expected = QUANTIZED_PRECISIONS.join(" or ");
    throw usageError(
      values.precision === undefined
        ? `--precision is missing, expected ${expected}`
        : `--precision is "${values.precision}", expected ${expected}`,
    );
  }
  if (!values.out) throw usageError("--out is missing");
  return {
    source,
    precision,
    target: values.out,
    kvScales: values["kv-scales"],
  };
}

function read(words: readonly string[]) {
  try {
    return parseCommandLine(words, {
      precision: { type: "string" },
      out: { type: "string" },
      "kv-scales": { type: "boolean", default: false },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw usageError(reason, { cause });
  }
}
