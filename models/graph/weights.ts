/**
 * What a graph asks of a checkpoint.
 *
 * A graph never sees the bytes of a weight, only where they lie. Keys are those
 * of the original layout; whoever implements {@linkcode Weights} knows how the
 * checkpoint at hand spells them.
 *
 * @module
 */

import { type Dtype, DTYPE_BYTES, elementCount } from "./dtype.ts";

/** A tensor in a file. */
export interface StoredTensor {
  /** Type of the stored elements. */
  readonly dtype: Dtype;
  /** Sides, outermost first. */
  readonly shape: readonly number[];
  /** File, relative to the session's weight folder. */
  readonly location: string;
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** Bits that a code of a quantized matrix may have. */
export type CodeBits = 4 | 8;

/**
 * A matrix in few bits: `weight = (code - 2^(bits - 1)) · scale`, with one scale
 * for every block of a row.
 */
export interface StoredQuantizedMatrix {
  /** Bits of a code. */
  readonly bits: CodeBits;
  /** Codes that share a scale; divides the row. */
  readonly blockSize: number;
  /** uint8 `[N, K / blockSize, blockSize · bits / 8]`, the low half first. */
  readonly codes: StoredTensor;
  /** `[N, K / blockSize]` */
  readonly scales: StoredTensor;
}

/** The tensors of a checkpoint. */
export interface Weights {
  /**
   * The tensor stored under `key`.
   *
   * @param shape The shape that the configuration asks for. Sides of one at the
   * end may be missing or too many: a 1×1 convolution is a matrix.
   * @throws When there is none, or it has another shape.
   */
  find(key: string, shape: readonly number[]): StoredTensor;
  /**
   * The matrix `[N, K]` under `key`, when it is stored in few bits.
   *
   * @throws When it is, but has another shape.
   */
  findQuantized(
    key: string,
    shape: readonly [number, number],
  ): StoredQuantizedMatrix | undefined;
}

/** Part of a stored matrix. */
export interface Rows {
  /** First row. */
  readonly start: number;
  /** How many. */
  readonly count: number;
}

/** The bytes of some rows of a matrix. */
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
