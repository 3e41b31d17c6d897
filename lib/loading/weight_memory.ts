/**
 * How much memory a language model's weights take beside their mapped files.
 *
 * Weights that are stored as they compute stay mapped, and so does the table of
 * embeddings in any type. Half floats become fp32 on a CPU, and codes of few
 * bits are arranged for their kernels: those are copies, which must fit. A
 * device has all weights in a memory of its own.
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
 * Bytes of all weights in a device's memory.
 *
 * @param judged Rows of the head that are loaded.
 */
export function deviceWeightBytes(
  { config, codeBits }: Pick<Stored, "config" | "codeBits">,
  computeDtype: Dtype,
  judged: number,
): number {
  const { vocabularySize, hiddenSize } = config;
  const numbers = matrixNumbers(config) + judged * hiddenSize;
  const each = codeBits === undefined
    ? DTYPE_BYTES[computeDtype]
    : codeBits / 8 + DTYPE_BYTES[computeDtype] / LEAST_BLOCK;
  const table = vocabularySize * hiddenSize * DTYPE_BYTES[computeDtype];
  return table + numbers * each;
}

/** Codes that share a scale, at least. */
const LEAST_BLOCK = 16;

/**
 * Refuses a model that does not fit into a device's memory.
 *
 * @throws {CheckpointError} Saying how much is needed and what would fit.
 */
export function refuseUnfittingDevice(
  { folder, codeBits }: Pick<LanguageCheckpoint, "folder" | "codeBits">,
  { weightBytes, cacheBytes, deviceBytes }: {
    /** Of all weights. */
    readonly weightBytes: number;
    /** For keys and values. */
    readonly cacheBytes: number;
    /** That may be used. */
    readonly deviceBytes: number;
  },
): void {
  if (weightBytes + cacheBytes <= deviceBytes) return;
  const remedies = [
    "lower KV_BYTES",
    ...(codeBits === undefined ? ["set PRECISION=int4"] : []),
    "or serve fewer FUNCTIONS",
  ];
  throw new CheckpointError(
    folder,
    `its weights take ${
      gigabytes(weightBytes)
    } of the device's memory, keys and values ${gigabytes(cacheBytes)}, ${
      gigabytes(deviceBytes)
    } may be used: ${remedies.join(", ")}`,
  );
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
