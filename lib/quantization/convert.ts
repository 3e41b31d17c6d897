/**
 * The conversion of a chunk's bytes.
 *
 * @module
 */

import { type BlockOptions, quantizeRows } from "./quantize_rows.ts";
import type { Conversion } from "./recipe.ts";

/**
 * Returns the results of a chunk, in the order in which a plan places them.
 *
 * @param bytes Elements of `dtype`, aligned to them.
 * @throws {RangeError} If a weight is not finite.
 */
export function convert(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: string,
  conversion: Conversion,
): Uint8Array<ArrayBuffer>[] {
  switch (conversion.kind) {
    case "copy":
      return [bytes];
    case "halve":
      return [bytesOf(toBfloat16(floatsOf(bytes, dtype)))];
    case "quantize":
      return quantized(floatsOf(bytes, dtype), conversion);
    default:
      throw conversion satisfies never;
  }
}

function quantized(
  values: Float32Array,
  options: BlockOptions,
): Uint8Array<ArrayBuffer>[] {
  const { codes, scales } = quantizeRows(values, options);
  return [codes, bytesOf(scales)];
}

/**
 * Returns floats of any type in fp32, which represents all of them.
 *
 * @throws {TypeError} If `dtype` is no supported type of floats.
 */
export function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: string,
): Float32Array {
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
 * Returns floats as bytes of another type, rounded to the nearest, ties to even.
 *
 * @throws {TypeError} If `dtype` is no supported type of floats.
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

/** Converts bf16, which is the upper half of fp32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Rounds to the nearest, ties to even, as PyTorch does. */
function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = values;
  const bits = new Uint32Array(buffer, byteOffset, length);
  const halves = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const even = (bits[i]! >>> 16) & 1;
    halves[i] = (bits[i]! + 0x7fff + even) >>> 16;
  }
  return halves;
}

function bytesOf(
  { buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
