/**
 * The writer of small safetensors files, valid or broken on purpose.
 *
 * @module
 */

import type { Tensor, TensorData } from "./safetensors.ts";

/** The header entry of a tensor. */
export interface HeaderEntry {
  readonly dtype: unknown;
  readonly shape: unknown;
  readonly "data_offsets": unknown;
}

/** Writes a file of `tensors`, in their order. */
export function safetensorsBytes(
  tensors: ReadonlyMap<string, Tensor>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, HeaderEntry> = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const start = end;
    end += data.byteLength;
    header[name] = { dtype, shape, "data_offsets": [start, end] };
    parts.push(bytesOf(data));
  }
  const whole = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return withHeader(JSON.stringify(header), whole);
}

/**
 * Writes a file of any header and data.
 *
 * @param claimedLength Length of the header, as stated in the file.
 */
export function withHeader(
  header: string,
  data: Uint8Array,
  claimedLength?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data.length);
  const length = claimedLength ?? BigInt(text.length);
  new DataView(file.buffer).setBigUint64(0, length, true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

/** The types of half precision. */
export type HalfDtype = "F16" | "BF16";

/** Rounds `tensor` to half floats; other types stay as they are. */
export function halved(tensor: Tensor, dtype: HalfDtype): Tensor {
  const { shape, data } = tensor;
  if (!(data instanceof Float32Array)) return tensor;
  return { dtype, shape, data: dtype === "F16" ? f16(data) : bf16(data) };
}

/** Widens `tensor` to fp32, with the values of its half floats. */
export function widened({ dtype, shape, data }: Tensor): Tensor {
  if (!(data instanceof Uint16Array)) return { dtype, shape, data };
  const values = dtype === "F16"
    ? Float32Array.from(new Float16Array(data.buffer, data.byteOffset))
    : new Float32Array(Uint32Array.from(data, (bits) => bits << 16).buffer);
  return { dtype: "F32", shape, data: values };
}

function f16(values: Float32Array): Uint16Array {
  return new Uint16Array(Float16Array.from(values).buffer);
}

/** Returns the upper halves; ties round to even, like in PyTorch. */
function bf16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.slice().buffer);
  return Uint16Array.from(
    bits,
    (bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16,
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
