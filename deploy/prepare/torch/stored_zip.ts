/**
 * The ZIP archive without compression, as PyTorch writes and reads it.
 *
 * ```text
 * local header │ name │ padding │ data …   central directory   end record
 * ```
 *
 * Data begins at multiples of 64 bytes, so that PyTorch can map it. No package
 * aligns entries; hence own code. Source: PKWARE APPNOTE 6.3, without ZIP64:
 * files are smaller than 4 GiB.
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** A file of an archive. */
export interface ZipEntry {
  /** Name, in ASCII, with `/` between folders. */
  readonly name: string;
  /** Content. */
  readonly data: Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

/** Header of an extra field: its tag and length. */
const EXTRA_BYTES = 4;

/** Tag of PyTorch's padding, "FB". */
const PADDING_TAG = 0x4246;

/** Alignment of data, in bytes. */
const ALIGNMENT = 64;

/** The first of January 1980, the earliest date of the format. */
const DATE = 0x21;

/** Returns an archive of `entries`; the same entries give the same bytes. */
export function writeStoredZip(
  entries: readonly ZipEntry[],
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const places = entries.map(({ name, data }) => {
    const start = at;
    const unpadded = start + LOCAL_BYTES + name.length + EXTRA_BYTES;
    const dataStart = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
    at = dataStart + data.length;
    return { start, dataStart, crc: crc32(data) };
  });
  const centralStart = at;
  for (const { name } of entries) at += CENTRAL_BYTES + name.length;
  const bytes = new Uint8Array(at + END_BYTES);
  const view = new DataView(bytes.buffer);
  let central = centralStart;
  for (const [i, entry] of entries.entries()) {
    const { start, dataStart, crc } = places[i]!;
    const extra = dataStart - start - LOCAL_BYTES - entry.name.length;
    view.setUint32(start, LOCAL, true);
    writeFields(view, start + 4, { entry, crc, extra });
    view.setUint16(dataStart - extra, PADDING_TAG, true);
    view.setUint16(dataStart - extra + 2, extra - EXTRA_BYTES, true);
    bytes.set(ascii(entry.name), start + LOCAL_BYTES);
    bytes.set(entry.data, dataStart);
    view.setUint32(central, CENTRAL, true);
    writeFields(view, central + 6, { entry, crc, extra: 0 });
    view.setUint32(central + 42, start, true);
    bytes.set(ascii(entry.name), central + CENTRAL_BYTES);
    central += CENTRAL_BYTES + entry.name.length;
  }
  view.setUint32(at, END, true);
  view.setUint16(at + 8, entries.length, true);
  view.setUint16(at + 10, entries.length, true);
  view.setUint32(at + 12, at - centralStart, true);
  view.setUint32(at + 16, centralStart, true);
  return bytes;
}

/** Writes the fields that both kinds of header share, from the version on. */
function writeFields(
  view: DataView,
  at: number,
  { entry, crc, extra }: {
    readonly entry: ZipEntry;
    readonly crc: number;
    readonly extra: number;
  },
): void {
  view.setUint16(at + 8, DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, entry.data.length, true);
  view.setUint32(at + 18, entry.data.length, true);
  view.setUint16(at + 22, entry.name.length, true);
  view.setUint16(at + 24, extra, true);
}

/**
 * Returns the files of an archive by name.
 *
 * @throws {SyntaxError} If it is no whole archive of stored entries.
 */
export function readStoredZip(
  bytes: Uint8Array,
): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endRecord(view);
  const count = view.getUint16(end + 10, true);
  const entries = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw new SyntaxError("its directory is damaged");
    }
    const method = view.getUint16(at + 10, true);
    const length = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(
      bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength),
    );
    if (method !== 0) {
      throw new SyntaxError(`its entry "${name}" is compressed`);
    }
    const start = dataStart(view, view.getUint32(at + 42, true));
    if (start + length > end) throw new SyntaxError("it is truncated");
    entries.set(name, bytes.subarray(start, start + length));
    at += CENTRAL_BYTES + nameLength + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return entries;
}

/** Returns the offset of the end record, which a comment may follow. */
function endRecord(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw new SyntaxError("it is not a ZIP archive, or is truncated");
}

function dataStart(view: DataView, header: number): number {
  if (
    header + LOCAL_BYTES > view.byteLength ||
    view.getUint32(header, true) !== LOCAL
  ) {
    throw new SyntaxError("an entry of it is damaged");
  }
  return header + LOCAL_BYTES + view.getUint16(header + 26, true) +
    view.getUint16(header + 28, true);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
