/**
 * The tensors of the Open Inference Protocol.
 *
 * @module
 */

/** A tensor in JSON. */
export interface JsonTensor {
  /** Name of the tensor. */
  readonly name: string;
  /** Lengths of the dimensions. */
  readonly shape: readonly number[];
  /** Numeric format. */
  readonly datatype: string;
  /** Elements. */
  readonly data: unknown;
}

/** Creates a tensor of text, or of a file in base64. */
export function text(name: string, value: string): JsonTensor {
  return { name, shape: [1], datatype: "BYTES", data: [value] };
}

/** Creates a tensor of codes, flat or row by row. */
export function codes(shape: number[], data: unknown): JsonTensor {
  return { name: "codes", shape, datatype: "UINT16", data };
}

/** Encodes `value` as an element of BYTES. */
export function element(value: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, value.length, true);
  return Uint8Array.of(...size, ...value);
}
