/**
 * The layout of the target files, computed before they are written.
 *
 * Tensors fill a file up to its maximum size, then the next one. The length of
 * a header is known in advance; hashes, which have a fixed length, are filled
 * in at the end.
 *
 * @module
 */

/** A position in a target file's data. */
export interface FilePosition {
  /** Index of the file. */
  readonly file: number;
  /** Offset from the first byte of its data. */
  readonly offset: number;
}

/** A tensor to be written. */
export interface TargetTensor {
  /** Name in the header. */
  readonly name: string;
  /** Type as the format spells it. */
  readonly dtype: string;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** Length in bytes. */
  readonly length: number;
  /** Bytes of the tensor, if they do not depend on the source. */
  readonly data?: Uint8Array<ArrayBuffer>;
}

/** A tensor and its position. */
export interface PlacedTensor extends TargetTensor {
  /** Offset from the first byte of the data. */
  readonly offset: number;
}

/** A file to be written. */
export interface TargetFile {
  /** Name in its folder. */
  readonly name: string;
  /** Tensors in the order of their bytes. */
  readonly tensors: readonly PlacedTensor[];
  /** Bytes of all tensors. */
  readonly dataBytes: number;
}

/** The alignment of the data, in bytes: that of a memory page. */
const PAGE_BYTES = 4096;

/** Bytes of the header's length field. */
const PREFIX_BYTES = 8;

/** Lays out tensors. */
export class TargetFiles {
  readonly #fileBytes: number;
  readonly #files: { tensors: PlacedTensor[]; dataBytes: number }[] = [];

  /**
   * Creates an empty layout.
   *
   * @param fileBytes Bytes of a file, unless a single tensor is larger.
   */
  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes;
  }

  /** Places `tensors` consecutively in one file. */
  place(tensors: readonly TargetTensor[]): FilePosition[] {
    const length = tensors.reduce((sum, { length }) => sum + length, 0);
    let last = this.#files.at(-1);
    if (last === undefined || last.dataBytes + length > this.#fileBytes) {
      last = { tensors: [], dataBytes: 0 };
      this.#files.push(last);
    }
    const file = this.#files.length - 1;
    const positions: FilePosition[] = [];
    for (const tensor of tensors) {
      positions.push({ file, offset: last.dataBytes });
      last.tensors.push({ ...tensor, offset: last.dataBytes });
      last.dataBytes += tensor.length;
    }
    return positions;
  }

  /** Returns all files, with their names. */
  finish(): TargetFile[] {
    const count = this.#files.length;
    const number = (n: number) => String(n).padStart(5, "0");
    return this.#files.map((file, i) => ({
      ...file,
      name: count === 1
        ? "model.safetensors"
        : `model-${number(i + 1)}-of-${number(count)}.safetensors`,
    }));
  }
}

/** Returns the start of a file: its length, header and padding. */
export function headerBytes(
  file: TargetFile,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries = file.tensors.map(({ name, dtype, shape, offset, length }) => [
    name,
    { dtype, shape, data_offsets: [offset, offset + length] },
  ]);
  const text = new TextEncoder().encode(
    JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }),
  );
  const whole = Math.ceil((PREFIX_BYTES + text.length) / PAGE_BYTES);
  const bytes = new Uint8Array(whole * PAGE_BYTES).fill(" ".charCodeAt(0));
  const length = BigInt(bytes.length - PREFIX_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(text, PREFIX_BYTES);
  return bytes;
}

/**
 * Returns the index that maps tensors to files; undefined for a single file.
 */
export function indexOf(files: readonly TargetFile[]): unknown {
  if (files.length === 1) return undefined;
  const map = files.flatMap(({ name, tensors }) =>
    tensors.map((tensor) => [tensor.name, name])
  );
  return {
    metadata: {
      total_size: files.reduce((sum, { dataBytes }) => sum + dataBytes, 0),
    },
    weight_map: Object.fromEntries(map),
  };
}
