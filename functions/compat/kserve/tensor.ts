/**
 * Tensors of the Open Inference Protocol, as JSON and as raw bytes.
 *
 * ```text
 * UINT16, INT32   little-endian, row-major
 * BYTES           length (u32 little-endian), bytes, length, bytes, …
 * ```
 *
 * Knows nothing of requests: whoever sent them is told by
 * {@linkcode TensorError} what is wrong with one.
 *
 * @module
 */

import {
  MAX_BINARY_CODES,
  MAX_BYTES_ELEMENTS,
} from "../../http/body_limits.ts";

/** Numeric formats that are served. */
export type Datatype = "BYTES" | "UINT16" | "INT32";

/** An element of BYTES: in JSON it is text. */
export type Element = string | Uint8Array<ArrayBuffer>;

/** A tensor, row by row. */
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

/** A tensor that is not what it says. */
export class TensorError extends Error {
  /** Says what is the case, for whoever knows which tensor it is. */
  constructor(message: string) {
    super(message);
    this.name = "TensorError";
  }
}

/** How many elements `shape` has. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * The tensor whose elements are `bytes`.
 *
 * @throws {TensorError} When they are more or fewer than `shape` says.
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
      `its shape has ${count} elements, at most ${most} of ${datatype} are taken`,
    );
  }
  if (datatype === "BYTES") {
    return { datatype, shape, values: elementsFrom(bytes, count) };
  }
  const { BYTES_PER_ELEMENT: size } = Uint16Array;
  if (bytes.length !== size * count) {
    throw new TensorError(
      `its shape takes ${size * count} bytes, there are ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(size * i, true);
  return { datatype, shape, values };
}

/**
 * The tensor whose elements stand in `data`, flat or nested as `shape` is.
 *
 * @throws {TensorError} When they are not what datatype and shape say.
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
      `its shape has ${count} elements, there are ${flat.length}`,
    );
  }
  if (datatype === "BYTES") {
    if (flat.every((value) => typeof value === "string")) {
      return { datatype, shape, values: flat };
    }
    throw new TensorError("expected text as its elements");
  }
  if (flat.every(isUint16)) {
    return { datatype, shape, values: Uint16Array.from(flat) };
  }
  throw new TensorError("expected whole numbers from 0 to 65535");
}

/** The elements of `tensor` as raw bytes. */
export function bytesFromTensor(tensor: Tensor): Uint8Array<ArrayBuffer> {
  if (tensor.datatype === "BYTES") return prefixed(tensor.values);
  const { values } = tensor;
  const size = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  // Conversion to an unsigned integer leaves the bits of a signed one.
  values.forEach((value, i) =>
    size === 2
      ? view.setUint16(size * i, value, true)
      : view.setInt32(size * i, value, true)
  );
  return bytes;
}

/** The elements of `tensor` for JSON, flat; bytes become base64. */
export function jsonFromTensor(tensor: Tensor): (number | string)[] {
  if (tensor.datatype !== "BYTES") return [...tensor.values];
  return tensor.values.map((value) =>
    typeof value === "string" ? value : value.toBase64()
  );
}

const LENGTH_BYTES = 4;

/** No deeper than the shape is: what is deeper is no element. */
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
      throw new TensorError("it ends within the length of an element");
    }
    const start = offset + LENGTH_BYTES;
    const end = start + view.getUint32(offset, true);
    if (end > bytes.length) throw new TensorError("it ends within an element");
    elements.push(bytes.subarray(start, end));
    offset = end;
  }
  if (elements.length === count && offset === bytes.length) return elements;
  throw new TensorError(
    elements.length < count
      ? `its shape has ${count} elements, there are ${elements.length}`
      : `its shape has ${count} elements, there are more bytes`,
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
