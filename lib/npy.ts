/**
 * The .npy format of NumPy: a reader of integers and a writer of codes.
 *
 * ```text
 * \x93NUMPY │ major minor │ header length, u16 or u32 │ {'descr': '<u2', …} │ data
 * ```
 *
 * Source: numpy/lib/format.py, versions 1.0 to 3.0. Own code, because no
 * package reads both byte orders and Fortran order.
 *
 * @module
 */

/** An array of whole numbers in C order. */
export interface NpyArray {
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** Values; those beyond 2^53 are rounded. */
  readonly values: Float64Array;
}

/** An error for bytes that are not an array of whole numbers. */
export class NpyError extends SyntaxError {
  /** Creates an error from its message. */
  constructor(
    /** Kind of the fault: a damaged file, or an array that is not accepted. */
    readonly kind: "malformed" | "unacceptable",
    message: string,
  ) {
    super(message);
    this.name = "NpyError";
  }
}

const MAGIC = "\x93NUMPY";

/** Maximum length of a header in bytes; NumPy reads 10,000. */
const MAX_HEADER_BYTES = 2 ** 14;

/** The alignment of the data, to which headers are padded, in bytes. */
const ALIGNMENT = 64;

/**
 * Returns the array in `bytes`.
 *
 * @param maxValues The maximum number of values; unlimited by default.
 * @throws {NpyError} If the file is invalid or truncated, the dtype is not an
 * integer, or there are too many values.
 */
export function readNpy(bytes: Uint8Array, maxValues = Infinity): NpyArray {
  const { header, start } = readHeader(bytes);
  const { descr, fortran, shape } = parseHeader(header);
  const dtype = /^([<>|=])([iu])([1248])$/.exec(descr);
  if (dtype === null) {
    throw new NpyError(
      "unacceptable",
      `expected an integer dtype, not "${descr}"`,
    );
  }
  const [, order, kind, digits] = dtype;
  const size = Number(digits);
  const count = shape.reduce((product, length) => product * length, 1);
  if (count > maxValues) {
    throw new NpyError("unacceptable", `expected at most ${maxValues} codes`);
  }
  const data = bytes.subarray(start);
  if (data.length !== count * size) {
    throw new NpyError(
      "malformed",
      `the .npy file has ${data.length} bytes of data, but its header declares ${
        count * size
      }`,
    );
  }
  const at = reader(data, `${kind}${size}`, order !== ">");
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i * size);
  return { shape, values: fortran ? toRowOrder(values, shape) : values };
}

/** Returns codes as a .npy of dtype `<u2`, version 1.0. */
export function writeNpy(
  shape: readonly number[],
  codes: Uint16Array,
): Uint8Array<ArrayBuffer> {
  const fixed = MAGIC.length + 4;
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<u2', 'fortran_order': False, 'shape': (${axes}), }`;
  const unpadded = fixed + text.length + 1;
  const start = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = `${text.padEnd(start - fixed - 1)}\n`;
  const bytes = new Uint8Array(start + 2 * codes.length);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  bytes[MAGIC.length] = 1;
  const view = new DataView(bytes.buffer);
  view.setUint16(MAGIC.length + 2, header.length, true);
  bytes.set(new TextEncoder().encode(header), fixed);
  codes.forEach((code, i) => view.setUint16(start + 2 * i, code, true));
  return bytes;
}

function readHeader(
  bytes: Uint8Array,
): { header: string; start: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  const major = bytes[MAGIC.length] ?? 0;
  if (magic !== MAGIC || major < 1 || major > 3) {
    throw new NpyError(
      "malformed",
      "it is not a .npy file of version 1, 2 or 3",
    );
  }
  const at = MAGIC.length + 2;
  const wide = major > 1;
  const fixed = at + (wide ? 4 : 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < fixed
    ? Infinity
    : wide
    ? view.getUint32(at, true)
    : view.getUint16(at, true);
  if (length !== Infinity && length > MAX_HEADER_BYTES) {
    throw new NpyError("malformed", "the header of the .npy file is too long");
  }
  const start = fixed + length;
  if (start > bytes.length) {
    throw new NpyError("malformed", "the .npy file is truncated");
  }
  const header = new TextDecoder().decode(bytes.subarray(fixed, start));
  return { header, start };
}

function parseHeader(
  header: string,
): { descr: string; fortran: boolean; shape: number[] } {
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]{1,16})['"]/.exec(header)?.[1];
  const fortran = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
  const axes = /['"]shape['"]\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || axes === undefined) {
    throw new NpyError("malformed", "the header of the .npy file is damaged");
  }
  const shape = axes.split(",").map((axis) => axis.trim())
    .filter((axis) => axis !== "").map(Number);
  return { descr, fortran: fortran === "True", shape };
}

/** Returns a function that reads the whole number at a byte offset. */
function reader(
  data: Uint8Array,
  kind: string,
  little: boolean,
): (offset: number) => number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const readers: Readonly<Record<string, (offset: number) => number>> = {
    i1: (at) => view.getInt8(at),
    u1: (at) => view.getUint8(at),
    i2: (at) => view.getInt16(at, little),
    u2: (at) => view.getUint16(at, little),
    i4: (at) => view.getInt32(at, little),
    u4: (at) => view.getUint32(at, little),
    i8: (at) => Number(view.getBigInt64(at, little)),
    u8: (at) => Number(view.getBigUint64(at, little)),
  };
  return readers[kind]!;
}

/** Reorders values from Fortran order (first axis fastest) to C order. */
function toRowOrder(
  values: Float64Array,
  shape: readonly number[],
): Float64Array {
  const axes: { length: number; stride: number }[] = [];
  let stride = 1;
  for (const length of shape) {
    axes.push({ length, stride });
    stride *= length;
  }
  axes.reverse();
  return Float64Array.from(values, (_, i) => {
    let rest = i;
    let at = 0;
    for (const { length, stride } of axes) {
      at += (rest % length) * stride;
      rest = Math.floor(rest / length);
    }
    return values[at]!;
  });
}
