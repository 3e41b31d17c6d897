/**
 * How much memory a language model's weights take beside their mapped files.
 *
 * Weights that are stored as they compute stay mapped, and so does the table of
 * embeddings in any type. Half floats become fp32 on a CPU, and codes of few
 * bits are arranged for their kernels: those are copies, which must fit.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { type Dtype, DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { CheckpointError } from "../errors.ts";
import type { LanguageCheckpoint } from "./checkpoint.ts";

/** What decides about copies. */
export type Stored = Pick<
  LanguageCheckpoint,
  "config" | "codeBits" | "storedDtype"
>;

/**
 * Bytes of the copies that loading makes.
 *
 * @param judged Rows of the head that are loaded.
 */
export function copiedWeightBytes(
  { config, codeBits, storedDtype }: Stored,
  computeDtype: Dtype,
  judged: number,
): number {
  const numbers = matrixNumbers(config) + judged * config.hiddenSize;
  if (codeBits !== undefined) return numbers * codeBits / 8;
  if (storedDtype === computeDtype) return 0;
  return numbers * DTYPE_BYTES[computeDtype];
}

/**
 * Refuses a model whose copies do not fit, before the system runs out.
 *
 * @param neededBytes Of the copies.
 * @param freeBytes Of the machine's memory.
 * @throws {CheckpointError} Saying how much is needed and what would fit.
 */
export function refuseUnfitting(
  { folder, codeBits }: Pick<LanguageCheckpoint, "folder" | "codeBits">,
  neededBytes: number,
  freeBytes: number,
): void {
  if (neededBytes <= freeBytes) return;
  const sizes = `${gigabytes(neededBytes)} of memory, ${
    gigabytes(freeBytes)
  } are free`;
  throw new CheckpointError(
    folder,
    codeBits === undefined
      ? `a CPU computes half floats in fp32, which takes ${sizes}: set PRECISION=int4, or store it so once with "deno task quantize ${folder} --precision int4 --out FOLDER"`
      : `its weights take ${sizes}: use a larger machine${
        codeBits === 8 ? " or PRECISION=int4 of its source" : ""
      }`,
  );
}

/** Of all layers' matrices. */
function matrixNumbers(config: LanguageConfig): number {
  const { hiddenSize: E, intermediateSize: F, layers } = config;
  const { heads, keyValueHeads, headSize } = config;
  const attention = 2 * E * headSize * (heads + keyValueHeads);
  return layers * (attention + 3 * E * F);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
