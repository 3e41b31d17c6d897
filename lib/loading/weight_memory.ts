/**
 * The memory of a language model's weights, in addition to their mapped files.
 *
 * Weights that are stored in the computing type stay mapped, and so does the
 * embedding table in any type. Half floats are cast to fp32 on a CPU, and
 * quantized codes are rearranged for their kernels: these are copies. A device
 * holds all weights in its own memory.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { type Dtype, DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { CheckpointError } from "../errors.ts";
import type { LanguageCheckpoint } from "./checkpoint.ts";

/** The properties of a checkpoint that determine copies. */
export type Stored = Pick<
  LanguageCheckpoint,
  "config" | "codeBits" | "storedDtype"
>;

/**
 * Returns the bytes of the copies that loading makes.
 *
 * @param headRows Number of the head's rows that are loaded.
 */
export function copiedWeightBytes(
  { config, codeBits, storedDtype }: Stored,
  computeDtype: Dtype,
  headRows: number,
): number {
  const numbers = matrixNumbers(config) + headRows * config.hiddenSize;
  if (codeBits !== undefined) return numbers * codeBits / 8;
  if (storedDtype === computeDtype) return 0;
  return numbers * DTYPE_BYTES[computeDtype];
}

/**
 * Returns the bytes of all weights in a device's memory.
 *
 * @param headRows Number of the head's rows that are loaded.
 */
export function deviceWeightBytes(
  { config, codeBits }: Pick<Stored, "config" | "codeBits">,
  computeDtype: Dtype,
  headRows: number,
): number {
  const { vocabularySize, hiddenSize } = config;
  const numbers = matrixNumbers(config) + headRows * hiddenSize;
  const each = codeBits === undefined
    ? DTYPE_BYTES[computeDtype]
    : codeBits / 8 + DTYPE_BYTES[computeDtype] / LEAST_BLOCK;
  const table = vocabularySize * hiddenSize * DTYPE_BYTES[computeDtype];
  return table + numbers * each;
}

/** The minimum block size, in codes per scale. */
const LEAST_BLOCK = 16;

/**
 * Refuses a model that does not fit into a device's memory.
 *
 * @throws {CheckpointError} If it does not fit; the message states the sizes
 * and a remedy.
 */
export function refuseUnfittingDevice(
  { folder, codeBits }: Pick<LanguageCheckpoint, "folder" | "codeBits">,
  { weightBytes, cacheBytes, deviceBytes }: {
    /** Bytes of all weights. */
    readonly weightBytes: number;
    /** Bytes for keys and values. */
    readonly cacheBytes: number;
    /** Bytes of the device that may be used. */
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
    } of the device's memory and the KV cache ${
      gigabytes(cacheBytes)
    }, but only ${gigabytes(deviceBytes)} may be used; ${remedies.join(", ")}`,
  );
}

/**
 * Refuses a model whose copies do not fit into the free memory of the machine.
 *
 * @param neededBytes Size of the copies, in bytes.
 * @param freeBytes Bytes of free memory of the machine.
 * @throws {CheckpointError} If it does not fit; the message states the sizes
 * and a remedy.
 */
export function refuseUnfitting(
  { folder, codeBits }: Pick<LanguageCheckpoint, "folder" | "codeBits">,
  neededBytes: number,
  freeBytes: number,
): void {
  if (neededBytes <= freeBytes) return;
  const sizes = `${gigabytes(neededBytes)} of memory, but only ${
    gigabytes(freeBytes)
  } are free`;
  throw new CheckpointError(
    folder,
    codeBits === undefined
      ? `a CPU computes half-precision weights in fp32, which takes ${sizes}; set PRECISION=int4, or quantize it once with "deno task quantize ${folder} --precision int4 --out FOLDER"`
      : `its weights take ${sizes}; use a machine with more memory${
        codeBits === 8
          ? " or its unquantized checkpoint with PRECISION=int4"
          : ""
      }`,
  );
}

/** Returns the number of elements of the matrices in all layers. */
function matrixNumbers(config: LanguageConfig): number {
  const { hiddenSize: E, intermediateSize: F, layers } = config;
  const { heads, keyValueHeads, headSize } = config;
  const attention = 2 * E * headSize * (heads + keyValueHeads);
  return layers * (attention + 3 * E * F);
}

/** Returns the text of a number of bytes in gigabytes, such as `5.6 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
