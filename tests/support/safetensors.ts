/**
 * The reader of small safetensors files, for golden data.
 *
 * ```text
 * u64 header length │ JSON header │ data, offsets counted from its first byte
 * ```
 *
 * Checkpoints have another reader; this one holds the whole file in memory.
 *
 * @module
 */

/** The array types of golden data. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint16Array
  | Uint8Array;

/** A tensor, row-major. */
export interface Tensor {
  /** Dtype in the file's spelling: "F32", "I32", … */
  readonly dtype: string;
  /** Shape, outermost dimension first. */
  readonly shape: readonly number[];
  /**
   * Elements, `[...shape]`; half floats are kept as their bits in a
   * `Uint16Array`.
   */
  readonly data: TensorData;
}

/**
 * Reads every tensor of the file at `path`, by name.
 *
 * @throws {RangeError} If the file holds an unknown dtype.
 */
export function readSafetensors(path: string | URL): Map<string, Tensor> {
  const bytes = Deno.readFileSync(path);
  const length = Number(
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
  );
  const header: Record<string, Entry> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  );
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = data_offsets;
    // Copied, so that the array is aligned wherever the header ends.
    const { buffer } = bytes.slice(8 + length + start, 8 + length + end);
    tensors.set(name, { dtype, shape, data: typed(dtype, buffer) });
  }
  return tensors;
}

/**
 * Returns the float32 data of tensor `name`; throws if it is absent or of
 * another dtype.
 */
export function float32(
  tensors: Map<string, Tensor>,
  name: string,
): Float32Array {
  const data = tensors.get(name)?.data;
  if (data instanceof Float32Array) return data;
  throw new RangeError(`no float32 tensor "${name}"`);
}

/**
 * Returns the int32 data of tensor `name`; throws if it is absent or of another
 * dtype.
 */
export function int32(tensors: Map<string, Tensor>, name: string): Int32Array {
  const data = tensors.get(name)?.data;
  if (data instanceof Int32Array) return data;
  throw new RangeError(`no int32 tensor "${name}"`);
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  // deno-lint-ignore camelcase -- the format's own spelling
  readonly data_offsets: [start: number, end: number];
}

function typed(dtype: string, buffer: ArrayBuffer): TensorData {
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return new Float64Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "I64":
      return new BigInt64Array(buffer);
    case "F16":
    case "BF16":
    case "U16":
      return new Uint16Array(buffer);
    case "U8":
    case "BOOL":
      return new Uint8Array(buffer);
    default:
      throw new RangeError(`unknown dtype "${dtype}"`);
  }
}
