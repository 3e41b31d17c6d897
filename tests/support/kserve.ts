/**
 * Tensors of the Open Inference Protocol, as tests send them.
 *
 * @module
 */

/** A tensor in JSON. */
export interface JsonTensor {
  /** By which it is known. */
  readonly name: string;
  /** Length of every dimension. */
  readonly shape: readonly number[];
  /** Numeric format. */
  readonly datatype: string;
  /** Its elements. */
  readonly data: unknown;
}

/** Text, or a file in base64. */
export function text(name: string, value: string): JsonTensor {
  return { name, shape: [1], datatype: "BYTES", data: [value] };
}

/** Codes, flat or row by row. */
export function codes(shape: number[], data: unknown): JsonTensor {
  return { name: "codes", shape, datatype: "UINT16", data };
}

/** `value` as an element of BYTES. */
export function element(value: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, value.length, true);
  return Uint8Array.of(...size, ...value);
}
