/**
 * The element types of tensors, with ONNX's number and the size of each.
 *
 * @module
 */

/** The element type of a tensor. */
export type Dtype =
  | "float32"
  | "float16"
  | "bfloat16"
  | "int32"
  | "int64"
  | "uint8"
  | "int8"
  | "bool";

/** Values of `TensorProto.DataType`, which ONNX Runtime's C API shares. */
export const ONNX_DTYPE: Readonly<Record<Dtype, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** Bytes of an element. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  bfloat16: 2,
};

/** Returns the number of elements in a tensor of `shape`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
