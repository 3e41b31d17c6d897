/**
 * The conversion of a checkpoint's floats from and to fp32, which represents
 * all stored types.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";
import type { LocatedTensor } from "./stored_tensor.ts";

/**
 * Returns floats of any stored type in fp32.
 *
 * @param bytes Elements of `dtype`, aligned to their size.
 * @throws {TypeError} If `dtype` is not a supported float type.
 */
export function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: string,
): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case "F16":
      return Float32Array.from(
        new Float16Array(buffer, byteOffset, byteLength / 2),
      );
    case "BF16":
      return fromBfloat16(new Uint16Array(buffer, byteOffset, byteLength / 2));
    default:
      throw new TypeError(`Cannot read ${dtype} as floats`);
  }
}

/**
 * Returns floats as bytes of another type, rounded to the nearest, ties to
 * even.
 *
 * @throws {TypeError} If `dtype` is not a supported float type.
 */
export function bytesOfFloats(
  values: Float32Array<ArrayBuffer>,
  dtype: string,
): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return bytesOf(values);
    case "F16":
      return bytesOf(Float16Array.from(values));
    case "BF16":
      return bytesOf(toBfloat16(values));
    default:
      throw new TypeError(`Cannot write floats as ${dtype}`);
  }
}

/** Returns the bytes of an array, without a copy. */
export function bytesOf(
  { buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Converts bf16, which is the upper half of fp32. */
function fromBfloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Rounds to the nearest bf16, ties to even, as PyTorch does. */
export function toBfloat16(
  values: Float32Array<ArrayBuffer>,
): Uint16Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = values;
  const bits = new Uint32Array(buffer, byteOffset, length);
  const halves = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const even = (bits[i]! >>> 16) & 1;
    halves[i] = (bits[i]! + 0x7fff + even) >>> 16;
  }
  return halves;
}

/**
 * Reads a tensor of floats in fp32.
 *
 * @throws {CheckpointError} If the file is shorter than its header states.
 */
export async function readFloats(
  { path, dtype, offset, length }: LocatedTensor,
): Promise<Float32Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) {
      throw new CheckpointError(path, "it was truncated while it was read");
    }
    at += count;
  }
  return floatsOf(bytes, dtype);
}
