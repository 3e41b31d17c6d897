/**
 * The safetensors header: the location of each tensor in a file.
 *
 * ```text
 * u64 N │ JSON of N bytes: name → dtype, shape, data_offsets │ data …
 * ```
 *
 * Only the header is read. It is validated, since ONNX Runtime maps the given
 * ranges: a length beyond the file, offsets beyond the data, tensors that
 * overlap or do not fill their bytes are refused. Format:
 * github.com/huggingface/safetensors, README "Format".
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import { CheckpointError } from "../errors.ts";
import { placeholderAt } from "./placeholder.ts";
import { readReason } from "./read_reason.ts";

/** The location of a tensor, according to the header. */
export interface SafetensorsEntry {
  /** Type such as `F32`; any type of the format, including unsupported ones. */
  readonly dtype: string;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** Offset of the first byte, from the start of the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
}

/** The header of a file. */
export interface SafetensorsHeader {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** Metadata, as written by the saver. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bits of an element, by dtype. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["U8", 8],
  ["I8", 8],
  ["F8_E5M2", 8],
  ["F8_E4M3", 8],
  ["I16", 16],
  ["U16", 16],
  ["F16", 16],
  ["BF16", 16],
  ["I32", 32],
  ["U32", 32],
  ["F32", 32],
  ["F64", 64],
  ["I64", 64],
  ["U64", 64],
]);

/** Bytes of the header's length field. */
const PREFIX_BYTES = 8;

/**
 * The maximum length of a header in bytes, a third of the format's limit, since
 * headers are read as a whole.
 */
const MAX_HEADER_BYTES = 2 ** 25;

/** The maximum number of tensors of a file, and of dimensions of a tensor. */
const MAX_TENSORS = 100_000;
const MAX_SIDES = 16;

/** The maximum length of a tensor's name, since messages contain it. */
const MAX_NAME = 1024;

/**
 * Reads the header of the file at `path`.
 *
 * @throws {CheckpointError} If the file is missing, truncated or unsafe.
 */
export async function readSafetensorsHeader(
  path: string,
): Promise<SafetensorsHeader> {
  using opened = await openFile(path);
  const { size } = await opened.stat();
  const prefix = await readBytes(opened, path, PREFIX_BYTES);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES && PREFIX_BYTES + length <= size) {
    throw new CheckpointError(
      path,
      `its header has ${length} bytes, more than the limit of ${MAX_HEADER_BYTES}`,
    );
  }
  if (PREFIX_BYTES + length > size) {
    const reason = await placeholderAt(path);
    if (reason !== undefined) throw new CheckpointError(path, reason);
    throw new CheckpointError(
      path,
      `its header declares ${length} bytes, but the file has ${size}; it is truncated or not safetensors`,
    );
  }
  const header = await readBytes(opened, path, length);
  return parseHeader(path, header, PREFIX_BYTES + length, size);
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    // Checked before opening, since opening a pipe blocks until its other end
    // is opened.
    if (!(await Deno.stat(path)).isFile) {
      throw new CheckpointError(path, "it is not a file");
    }
    return await Deno.open(path);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const missing = cause instanceof Deno.errors.NotFound;
    const reason = missing
      ? "the file does not exist"
      : `it cannot be read: ${readReason(cause)}`;
    throw new CheckpointError(path, reason, { cause });
  }
}

async function readBytes(
  file: Deno.FsFile,
  path: string,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) {
      throw new CheckpointError(path, `it ends after ${at} bytes`);
    }
    at += count;
  }
  return bytes;
}

function parseHeader(
  path: string,
  bytes: Uint8Array,
  dataStart: number,
  fileSize: number,
): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError(path, "its header is not JSON", { cause });
  }
  if (!isRecord(json)) {
    throw new CheckpointError(path, "its header is not a JSON object");
  }
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata: Record<string, string> = {};
  const entries = Object.entries(json);
  if (entries.length > MAX_TENSORS) {
    throw new CheckpointError(
      path,
      `it has ${entries.length} tensors, more than the limit of ${MAX_TENSORS}`,
    );
  }
  for (const [key, value] of entries) {
    if (key.length > MAX_NAME || /\p{Cc}/u.test(key)) {
      throw new CheckpointError(
        path,
        `the name of a tensor is not 1 to ${MAX_NAME} characters without control characters`,
      );
    }
    if (key === "__metadata__") {
      metadata = textsOf(value);
    } else {
      tensors.set(key, parseEntry(path, key, value, dataStart, fileSize));
    }
  }
  refuseOverlaps(path, tensors);
  return { tensors, metadata };
}

function parseEntry(
  path: string,
  key: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): SafetensorsEntry {
  const fail = (reason: string) =>
    new CheckpointError(path, `tensor "${key}": ${reason}`);
  if (!isRecord(value)) throw fail("its entry is not an object");
  const { dtype, shape, data_offsets: offsets } = value;
  const bits = typeof dtype === "string" ? DTYPE_BITS.get(dtype) : undefined;
  if (typeof dtype !== "string" || bits === undefined) {
    // A list may be nested too deeply to print.
    const label = typeof dtype === "string"
      ? JSON.stringify(dtype.slice(0, 16))
      : typeof dtype === "object"
      ? "of some kind"
      : dtype;
    throw fail(`unknown dtype ${label}`);
  }
  if (!isWholes(shape)) throw fail("its shape is not a list of whole numbers");
  if (shape.length > MAX_SIDES) {
    throw fail(
      `it has ${shape.length} dimensions, more than the limit of ${MAX_SIDES}`,
    );
  }
  if (!isWholes(offsets) || offsets.length !== 2) {
    throw fail("its data_offsets are not two offsets");
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || dataStart + end > fileSize) {
    throw fail(
      `its bytes ${begin}…${end} lie beyond the file's ${
        fileSize - dataStart
      } bytes of data; the file is truncated`,
    );
  }
  const length = (elementCount(shape) * bits) / 8;
  if (length !== end - begin) {
    throw fail(
      `${dtype} [${shape}] takes ${length} bytes, data_offsets hold ${
        end - begin
      }`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, length };
}

function refuseOverlaps(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
): void {
  const sorted = [...tensors].filter(([, { length }]) => length > 0)
    .sort(([, a], [, b]) => a.offset - b.offset);
  for (const [index, [key, entry]] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before === undefined) continue;
    if (before[1].offset + before[1].length > entry.offset) {
      throw new CheckpointError(
        path,
        `tensors "${before[0]}" and "${key}" overlap`,
      );
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWholes(value: unknown): value is number[] {
  return Array.isArray(value) &&
    value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] =>
      // Metadata must be text; a list may be nested too deeply to convert.
      typeof entry[1] === "string"
    ),
  );
}
