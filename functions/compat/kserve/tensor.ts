/**
 * The tensors of the Open Inference Protocol, as JSON and as raw bytes.
 *
 * ```text
 * UINT16, INT32   little-endian, row-major
 * BYTES           length (u32 little-endian), bytes, length, bytes, …
 * ```
 *
 * Independent of requests: a {@linkcode TensorError} describes the fault of a
 * tensor.
 *
 * @module
 */

import {
  MAX_BINARY_CODES,
  MAX_BYTES_ELEMENTS,
} from "../../http/body_limits.ts";

/** An output with its name. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

/** A supported element type. */
export type Datatype = "BYTES" | "UINT16" | "INT32";

/** An element of BYTES; text in JSON. */
export type Element = string | Uint8Array<ArrayBuffer>;

/** A tensor in row-major order. */
export type Tensor =
  & {
    /** Length of every dimension. */
    readonly shape: readonly number[];
  }
  & (
    | { readonly datatype: "BYTES"; readonly values: readonly Element[] }
    | {
      readonly datatype: "UINT16";
      readonly values: Uint16Array<ArrayBuffer>;
    }
    | { readonly datatype: "INT32"; readonly values: Int32Array<ArrayBuffer> }
  );

/** A tensor whose elements do not match its datatype or shape. */
export class TensorError extends Error {
  /** Creates the error, whose message does not name the tensor. */
  constructor(message: string) {
    super(message);
    this.name = "TensorError";
  }
}

/** Returns the number of elements of `shape`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Returns the tensor whose elements are `bytes`.
 *
 * @throws {TensorError} If their number differs from that of `shape`.
 */
export function tensorFromBytes(
  datatype: "BYTES" | "UINT16",
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): Tensor {
  const count = elementCount(shape);
  const most = datatype === "BYTES" ? MAX_BYTES_ELEMENTS : MAX_BINARY_CODES;
  if (count > most) {
    throw new TensorError(
      `its shape has ${count} elements, more than the limit of ${most} for ${datatype}`,
    );
  }
  if (datatype === "BYTES") {
    return { datatype, shape, values: elementsFrom(bytes, count) };
  }
  const { BYTES_PER_ELEMENT: size } = Uint16Array;
  if (bytes.length !== size * count) {
    throw new TensorError(
      `its shape takes ${size * count} bytes, but its data has ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(size * i, true);
  return { datatype, shape, values };
}

/**
 * Returns the tensor whose elements are in `data`, flat or nested like `shape`.
 *
 * @throws {TensorError} If they do not match datatype and shape.
 */
export function tensorFromJson(
  datatype: "BYTES" | "UINT16",
  shape: readonly number[],
  data: unknown,
): Tensor {
  const flat: unknown[] = [];
  flatten(data, shape.length, flat);
  const count = elementCount(shape);
  if (flat.length !== count) {
    throw new TensorError(
      `its shape has ${count} elements, but its data has ${flat.length}`,
    );
  }
  if (datatype === "BYTES") {
    if (flat.every((value) => typeof value === "string")) {
      return { datatype, shape, values: flat };
    }
    throw new TensorError("expected strings as its elements");
  }
  if (flat.every(isUint16)) {
    return { datatype, shape, values: Uint16Array.from(flat) };
  }
  throw new TensorError("expected whole numbers from 0 to 65535");
}

/** Returns the elements of `tensor` as raw bytes. */
export function bytesFromTensor(tensor: Tensor): Uint8Array<ArrayBuffer> {
  if (tensor.datatype === "BYTES") return prefixed(tensor.values);
  const { values } = tensor;
  const size = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  // Conversion to an unsigned integer keeps the bits of a signed one.
  values.forEach((value, i) =>
    size === 2
      ? view.setUint16(size * i, value, true)
      : view.setInt32(size * i, value, true)
  );
  return bytes;
}

/** Returns the elements of `tensor` for JSON, flat; bytes become base64. */
export function jsonFromTensor(tensor: Tensor): (number | string)[] {
  if (tensor.datatype !== "BYTES") return [...tensor.values];
  return tensor.values.map((value) =>
    typeof value === "string" ? value : value.toBase64()
  );
}

const LENGTH_BYTES = 4;

/** Flattens `data` no deeper than the shape: deeper lists are not elements. */
function flatten(data: unknown, depth: number, flat: unknown[]): void {
  if (!Array.isArray(data)) {
    throw new TensorError("expected its data as an array");
  }
  for (const value of data) {
    if (depth > 1 && Array.isArray(value)) flatten(value, depth - 1, flat);
    else flat.push(value);
  }
}

function isUint16(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value <= 65_535;
}

function elementsFrom(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  while (offset < bytes.length && elements.length < count) {
    if (offset + LENGTH_BYTES > bytes.length) {
      throw new TensorError("it is truncated within the length of an element");
    }
    const start = offset + LENGTH_BYTES;
    const end = start + view.getUint32(offset, true);
    if (end > bytes.length) {
      throw new TensorError("it is truncated within an element");
    }
    elements.push(bytes.subarray(start, end));
    offset = end;
  }
  if (elements.length === count && offset === bytes.length) return elements;
  throw new TensorError(
    elements.length < count
      ? `its shape has ${count} elements, but its data has ${elements.length}`
      : `its shape has ${count} elements, but its data has more`,
  );
}

function prefixed(values: readonly Element[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const elements = values.map((value) =>
    typeof value === "string" ? encoder.encode(value) : value
  );
  const length = elements.reduce((sum, e) => sum + LENGTH_BYTES + e.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const element of elements) {
    view.setUint32(offset, element.length, true);
    bytes.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.length;
  }
  return bytes;
}
