/**
 * The reader of the head and the table names of an SQLite file, without SQLite.
 *
 * ```text
 * file    page 1: head of 100 bytes, then the root of sqlite_schema
 * -wal    head of 32 bytes, then frames: head of 24 bytes, a page
 * ```
 *
 * SQLite takes locks, creates files beside the one it opens and ends
 * transactions of other programs, even for read-only access. This reader
 * changes nothing. Format: sqlite.org/fileformat2.html.
 *
 * @module
 */

/** The header of an SQLite file. */
export interface SqliteFacts {
  /** Its application id. */
  readonly applicationId: number;
  /** Version that its program assigned. */
  readonly userVersion: number;
  /** Names of tables; undefined if they cannot be read. */
  readonly tables: readonly string[] | undefined;
}

const MAGIC = "SQLite format 3\0";
const HEAD_BYTES = 100;
const WAL_HEAD_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
const WAL_MAGIC = 0x377f_0682;

/** Most frames of a log, and most pages of a schema, that are read. */
const MAX_FRAMES = 2 ** 16;
const MAX_PAGES = 2 ** 10;

/** Kinds of pages in a table's tree. */
const INTERIOR = 5;
const LEAF = 13;

/**
 * Reads the header of the SQLite file at `path` with the commits of its log;
 * undefined for another kind of file.
 */
export function readSqliteFacts(path: string): SqliteFacts | undefined {
  using file = Deno.openSync(path);
  const start = readAt(file, 0, HEAD_BYTES);
  if (start === undefined || !textOf(start).startsWith(MAGIC)) return undefined;
  const size = start.getUint16(16);
  // 65,536 does not fit into two bytes and is stored as 1.
  const pageBytes = size === 1 ? 2 ** 16 : size;
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) return undefined;
  using log = openLog(`${path}-wal`);
  const frames = log === undefined
    ? new Map<number, number>()
    : committedFrames(log, pageBytes);
  const page = (number: number): DataView | undefined => {
    const offset = frames.get(number);
    return offset === undefined
      ? readAt(file, (number - 1) * pageBytes, pageBytes)
      : readAt(log!, offset, pageBytes);
  };
  const head = page(1) ?? start;
  return {
    applicationId: head.getUint32(68),
    userVersion: head.getUint32(60),
    tables: tableNames(page),
  };
}

/** Returns the tables in sqlite_schema; undefined for a broken tree. */
function tableNames(
  page: (number: number) => DataView | undefined,
): string[] | undefined {
  const names: string[] = [];
  const waiting = [1];
  try {
    for (let seen = 0; waiting.length > 0; seen++) {
      const number = waiting.pop()!;
      const view = page(number);
      if (view === undefined || seen === MAX_PAGES) return undefined;
      const at = number === 1 ? HEAD_BYTES : 0;
      const kind = view.getUint8(at);
      if (kind !== LEAF && kind !== INTERIOR) return undefined;
      const pointers = at + (kind === LEAF ? 8 : 12);
      if (kind === INTERIOR) waiting.push(view.getUint32(at + 8));
      for (let cell = 0; cell < view.getUint16(at + 3); cell++) {
        const offset = view.getUint16(pointers + 2 * cell);
        if (kind === INTERIOR) waiting.push(view.getUint32(offset));
        else names.push(...tableName(view, offset));
      }
    }
    return names;
  } catch (error) {
    // The offset is outside of its page.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Returns the name in a row of sqlite_schema, if it is a program's table. */
function tableName(view: DataView, offset: number): string[] {
  let at = offset;
  const next = () => {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = view.getUint8(at++);
      value = value * 128 + (byte & 127);
      if (byte < 128) break;
    }
    return value;
  };
  next(); // Length of the row.
  next(); // Row id.
  const head = at;
  const headBytes = next();
  // Texts have odd types, which encode their lengths.
  const [kindBytes, nameBytes] = [next(), next()].map((type) =>
    (type - 13) / 2
  );
  const text = (from: number, length: number) =>
    textOf(new DataView(view.buffer, view.byteOffset + from, length));
  const data = head + headBytes;
  if (text(data, kindBytes!) !== "table") return [];
  const most = Math.min(nameBytes!, view.byteLength - data - kindBytes!);
  const name = text(data + kindBytes!, most);
  return name.startsWith("sqlite_") ? [] : [name];
}

/** Returns the offset of each page's last commit in a log. */
function committedFrames(
  log: Deno.FsFile,
  pageBytes: number,
): Map<number, number> {
  const committed = new Map<number, number>();
  const head = readAt(log, 0, WAL_HEAD_BYTES);
  if (
    head === undefined || (head.getUint32(0) & ~1) !== WAL_MAGIC ||
    head.getUint32(8) !== pageBytes
  ) return committed;
  const little = (head.getUint32(0) & 1) === 0;
  let sum = checksum(head, 24, little, [0, 0]);
  if (!isSum(head, 24, sum)) return committed;
  let pending = new Map<number, number>();
  const frameBytes = FRAME_HEAD_BYTES + pageBytes;
  for (let i = 0; i < MAX_FRAMES; i++) {
    const at = WAL_HEAD_BYTES + i * frameBytes;
    const frame = readAt(log, at, frameBytes);
    if (
      frame === undefined || frame.getUint32(8) !== head.getUint32(16) ||
      frame.getUint32(12) !== head.getUint32(20)
    ) break;
    sum = checksum(frame, 8, little, sum);
    const content = new DataView(
      frame.buffer,
      frame.byteOffset + FRAME_HEAD_BYTES,
      pageBytes,
    );
    sum = checksum(content, pageBytes, little, sum);
    if (!isSum(frame, 16, sum)) break;
    pending.set(frame.getUint32(0), at + FRAME_HEAD_BYTES);
    if (frame.getUint32(4) === 0) continue;
    // The last frame of a transaction.
    for (const [page, offset] of pending) committed.set(page, offset);
    pending = new Map();
  }
  return committed;
}

type Sum = readonly [number, number];

function checksum(
  view: DataView,
  bytes: number,
  little: boolean,
  [a, b]: Sum,
): Sum {
  let [s0, s1] = [a, b];
  for (let at = 0; at < bytes; at += 8) {
    s0 = (s0 + view.getUint32(at, little) + s1) >>> 0;
    s1 = (s1 + view.getUint32(at + 4, little) + s0) >>> 0;
  }
  return [s0, s1];
}

function isSum(view: DataView, at: number, [s0, s1]: Sum): boolean {
  return view.getUint32(at) === s0 && view.getUint32(at + 4) === s1;
}

function openLog(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch {
    // There is no log, or it cannot be read.
    return undefined;
  }
}

/** Reads bytes of a file; undefined beyond its end. */
function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): DataView<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) return undefined;
    at += count;
  }
  return new DataView(bytes.buffer);
}

function textOf({ buffer, byteOffset, byteLength }: DataView): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return new TextDecoder().decode(bytes.slice());
}
