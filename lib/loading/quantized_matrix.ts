/**
 * The quantized matrices in the format of compressed-tensors
 * ("pack-quantized").
 *
 * ```text
 * {name}_packed   int32 [N, K · bits / 32]   codes from zero up, low bits first
 * {name}_scale    [N, K / blockSize]
 * ```
 *
 * On a little-endian machine these bytes are in the format of ONNX Runtime's
 * `MatMulNBits`, so they are mapped like any other weight. Bits and block size
 * are derived from the shapes. Source: pack_quantized.py of
 * neuralmagic/compressed-tensors.
 *
 * @module
 */

import type { StoredQuantizedMatrix } from "../../models/graph/weights.ts";
import { CheckpointError } from "../errors.ts";
import {
  type LocatedTensor,
  storedTensor,
  WEIGHT_DTYPES,
} from "./stored_tensor.ts";

/** A function that returns the tensor of a name, if it exists. */
export type Find = (name: string) => LocatedTensor | undefined;

/** Block sizes that ONNX Runtime's kernels support. */
const BLOCK_SIZES: ReadonlySet<number> = new Set([16, 32, 64, 128, 256]);

/** Suffixes of tensors that belong to unsupported schemes. */
const OTHER_SCHEMES = ["_zero_point", "_g_idx"];

/**
 * Returns the matrix `name` if it is quantized.
 *
 * @param shape Shape `[N, K]` according to the configuration.
 * @throws {CheckpointError} If it is stored in an unsupported form.
 */
export function findQuantizedMatrix(
  find: Find,
  name: string,
  [rows, columns]: readonly [number, number],
): StoredQuantizedMatrix | undefined {
  const packed = find(`${name}_packed`);
  if (packed === undefined) return undefined;
  const fail = (reason: string) =>
    new CheckpointError(packed.path, `tensor "${name}_packed": ${reason}`);
  const scale = find(`${name}_scale`);
  if (scale === undefined) throw fail(`"${name}_scale" is missing`);
  const other = OTHER_SCHEMES.find((ending) => find(`${name}${ending}`));
  if (other !== undefined) {
    throw fail(
      `"${name}${other}" exists, but only symmetric quantization is supported`,
    );
  }
  const dtype = WEIGHT_DTYPES.get(scale.dtype);
  if (packed.dtype !== "I32" || dtype === undefined) {
    throw fail(
      `codes are ${packed.dtype}, scales ${scale.dtype}; expected I32 and floats`,
    );
  }
  const bits = 32 * (packed.shape[1] ?? 0) / columns;
  const blocks = scale.shape[1] ?? 0;
  const blockSize = columns / blocks;
  if (
    packed.shape[0] !== rows || scale.shape[0] !== rows ||
    (bits !== 4 && bits !== 8) || !BLOCK_SIZES.has(blockSize)
  ) {
    throw fail(
      `codes [${packed.shape}] and scales [${scale.shape}] do not form a matrix [${rows},${columns}] of 4 or 8 bits in blocks of 16 to 256`,
    );
  }
  const codes = [rows, blocks, blockSize * bits / 8];
  return {
    bits,
    blockSize,
    codes: storedTensor(packed, "uint8", codes),
    scales: storedTensor(scale, dtype, scale.shape),
  };
}
