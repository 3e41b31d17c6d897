/**
 * The numeric format of a language model's weights: as its checkpoint stores
 * them, or as a copy in few bits that is made when the server starts.
 *
 * @module
 */

import { CheckpointError } from "../../lib/errors.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { ComputeDtype } from "../../lib/runtime/provider.ts";
import {
  type CopyOptions,
  quantizedCopy,
} from "../../lib/quantization/quantized_copy.ts";

/** Formats that a server can be configured to use. */
export const PRECISIONS = ["fp32", "bf16", "fp16", "int8", "int4"] as const;

/** A format of weights in memory. */
export type Precision = typeof PRECISIONS[number];

/** The formats in which weights are numbers, not codes. */
const FLOATS = {
  fp32: "float32",
  bf16: "bfloat16",
  fp16: "float16",
} as const satisfies Partial<Record<Precision, ComputeDtype>>;

/** Returns the type that a device computes in; undefined for its default. */
export function computeDtypeOf(
  precision: Precision | undefined,
): ComputeDtype | undefined {
  return isFloat(precision) ? FLOATS[precision] : undefined;
}

/** Returns the precision of a device's compute type. */
export function floatPrecision(dtype: ComputeDtype): Precision {
  return FLOAT_NAMES[dtype];
}

const FLOAT_NAMES: Readonly<Record<ComputeDtype, keyof typeof FLOATS>> = {
  float32: "fp32",
  bfloat16: "bf16",
  float16: "fp16",
};

function isFloat(
  precision: Precision | undefined,
): precision is keyof typeof FLOATS {
  return precision !== undefined && precision in FLOATS;
}

/** The requested precision, and the options of copies. */
export interface PrecisionOptions extends Omit<CopyOptions, "precision"> {
  /** Requested precision; undefined for that of the checkpoint. */
  readonly precision: Precision | undefined;
}

/** Returns the format of a checkpoint's weights in a device's memory. */
export function precisionOf(
  { codeBits }: Pick<LanguageCheckpoint, "codeBits">,
  computeDtype: ComputeDtype,
): Precision {
  switch (codeBits) {
    case undefined:
      return floatPrecision(computeDtype);
    case 8:
      return "int8";
    case 4:
      return "int4";
    default:
      throw codeBits satisfies never;
  }
}

/**
 * Returns `checkpoint`, or a copy of it in the requested precision.
 *
 * @param onCopy Called before a copy is made or looked for.
 * @throws {CheckpointError} If it has fewer bits than requested.
 * @throws {QuantizationError} If a copy cannot be made.
 */
export async function openInPrecision(
  checkpoint: LanguageCheckpoint,
  options: PrecisionOptions,
  onCopy: () => void,
): Promise<LanguageCheckpoint> {
  const { codeBits, folder } = checkpoint;
  const { precision } = options;
  if (precision === undefined) return checkpoint;
  if (codeBits === undefined && isFloat(precision)) return checkpoint;
  const stored = codeBits === undefined ? undefined : `int${codeBits}`;
  if (precision === stored) return checkpoint;
  if (isFloat(precision) || stored !== undefined) {
    throw new CheckpointError(
      folder,
      `it is stored in ${stored}, but PRECISION is ${precision}; unset PRECISION, or use the unquantized checkpoint`,
    );
  }
  onCopy();
  return await openLanguageCheckpoint(
    await quantizedCopy(folder, { ...options, precision }),
  );
}
