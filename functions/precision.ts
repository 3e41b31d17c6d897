/**
 * The numeric format of a language model's weights: as its checkpoint stores
 * them, or as a copy in few bits that is made when the server starts.
 *
 * @module
 */

import { CheckpointError } from "../lib/errors.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
} from "../lib/loading/checkpoint.ts";
import {
  type CopyOptions,
  quantizedCopy,
} from "../lib/quantization/quantized_copy.ts";

/** Formats that a server may be told to use. */
export const PRECISIONS = ["fp32", "int8", "int4"] as const;

/** A format of weights in memory. */
export type Precision = typeof PRECISIONS[number];

/** What is asked for, and how copies are made. */
export interface PrecisionOptions extends Omit<CopyOptions, "precision"> {
  /** Undefined for that of the checkpoint. */
  readonly precision: Precision | undefined;
}

/** The format that the weights of a checkpoint have in memory. */
export function precisionOf(
  { codeBits }: Pick<LanguageCheckpoint, "codeBits">,
): Precision {
  switch (codeBits) {
    case undefined:
      return "fp32";
    case 8:
      return "int8";
    case 4:
      return "int4";
    default:
      throw codeBits satisfies never;
  }
}

/**
 * The checkpoint in `folder`, or a copy of it in the precision asked for.
 *
 * @param onCopy Called before a copy is made or looked for.
 * @throws {CheckpointError} When it cannot be opened, or has fewer bits than
 * are asked for.
 * @throws {QuantizationError} When a copy cannot be made.
 */
export async function openInPrecision(
  folder: string,
  options: PrecisionOptions,
  onCopy: () => void,
): Promise<LanguageCheckpoint> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const stored = precisionOf(checkpoint);
  const { precision = stored } = options;
  if (precision === stored) return checkpoint;
  if (precision === "fp32" || stored !== "fp32") {
    throw new CheckpointError(
      folder,
      `it is stored in ${stored}, PRECISION asks for ${precision}: unset PRECISION, or name the checkpoint that it was made from`,
    );
  }
  onCopy();
  return await openLanguageCheckpoint(
    await quantizedCopy(folder, { ...options, precision }),
  );
}
