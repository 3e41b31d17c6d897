/**
 * The interface between a graph and the weights of a checkpoint.
 *
 * A graph uses the location of a weight, never its bytes. Keys are those of the
 * original layout; implementations of {@linkcode Weights} map them to the names
 * of their checkpoint.
 *
 * @module
 */

import { type Dtype, DTYPE_BYTES, elementCount } from "./dtype.ts";

/** A tensor in a file. */
export interface StoredTensor {
  /** Type of the stored elements. */
  readonly dtype: Dtype;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** File, relative to the session's weight folder. */
  readonly location: string;
  /** Offset of the first byte, from the start of the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
}

/** Number of bits of a code of a quantized matrix. */
export type CodeBits = 4 | 8;

/**
 * A quantized matrix: `weight = (code - 2^(bits - 1)) · scale`, with one scale
 * for every block of a row.
 */
export interface StoredQuantizedMatrix {
  /** Bits of a code. */
  readonly bits: CodeBits;
  /** Number of codes that share a scale; divides the row. */
  readonly blockSize: number;
  /**
   * Codes, uint8 `[N, K / blockSize, blockSize · bits / 8]`, the low half
   * first.
   */
  readonly codes: StoredTensor;
  /** Scales, `[N, K / blockSize]`. */
  readonly scales: StoredTensor;
}

/** The tensors of a checkpoint. */
export interface Weights {
  /**
   * Returns the tensor stored under `key`.
   *
   * @param shape Expected shape, according to the configuration. Trailing
   * dimensions of 1 are ignored, since a 1×1 convolution is a matrix.
   * @throws If it is missing or has another shape.
   */
  find(key: string, shape: readonly number[]): StoredTensor;
  /**
   * Returns the matrix `[N, K]` under `key`, if it is quantized.
   *
   * @throws If it has another shape.
   */
  findQuantized(
    key: string,
    shape: readonly [number, number],
  ): StoredQuantizedMatrix | undefined;
}

/** Some rows of a stored matrix. */
export interface Rows {
  /** Index of the first row. */
  readonly start: number;
  /** Number of rows. */
  readonly count: number;
}

/** Returns the bytes of some rows of a matrix. */
export function rowsOf(
  stored: StoredTensor,
  shape: readonly number[],
  rows: Rows,
): StoredTensor {
  const [, ...rest] = shape;
  const rowBytes = elementCount(rest) * DTYPE_BYTES[stored.dtype];
  return {
    ...stored,
    shape: [rows.count, ...rest],
    offset: stored.offset + rows.start * rowBytes,
    length: rows.count * rowBytes,
  };
}

/** Returns a stored tensor, or rows of it, and its name in a graph. */
export function partOf(
  key: string,
  stored: StoredTensor,
  shape: readonly number[],
  rows: Rows | undefined,
): { name: string; part: StoredTensor } {
  return rows === undefined ? { name: key, part: { ...stored, shape } } : {
    name: `${key}[${rows.start}:${rows.start + rows.count}]`,
    part: rowsOf(stored, shape, rows),
  };
}
