/**
 * Bytes of a remote file, written where they belong as they come.
 *
 * What breaks off goes on at the byte it got to. Only as much is in memory as
 * one read gives.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { type ChunkReader, chunkReader } from "./chunk_reader.ts";
import {
  type ContentHash,
  contentHash,
  type HashKind,
} from "../hashing/content_hash.ts";
import { diskError, onDisk } from "../base/disk.ts";
import { Attempts, type RetryPolicy, StallWatch } from "../retry_policy.ts";
import {
  type ByteRange,
  type Remote,
  RemoteError,
  type RemoteFile,
} from "../net/remote.ts";

/** The first bytes of a part, which are written already. */
export interface PartStart {
  /** Their number. */
  readonly bytes: number;
  /** Their CRC-32 in hex; undefined of parts with another hash. */
  readonly crc32?: string;
}

/** What to fetch, and where it goes. Plain data: it may cross to a worker. */
export interface PartOrder {
  /** Of which file. */
  readonly file: RemoteFile;
  /** Which bytes of it. */
  readonly range: ByteRange;
  /** A file that is as long as the remote one. */
  readonly path: string;
  /** How the bytes are hashed. */
  readonly hash: HashKind;
  /**
   * The bytes that an earlier attempt has written of it; undefined for none.
   */
  readonly start?: PartStart | undefined;
}

/** How a part is fetched. */
export interface PartOptions {
  /** Gives it up. */
  readonly signal: AbortSignal;
  /** Hears how many bytes came; below 0 when some are thrown away. */
  readonly onBytes: (count: number) => void;
  /** Hears, now and then, how much of the part is written from its first byte. */
  readonly onStart?: (start: PartStart) => void;
}

/** Bytes between two reports of how much of a part is written. */
const REPORT_BYTES = 2 ** 16;

/**
 * Fetches what is ordered.
 *
 * @returns The hash of its bytes.
 * @throws {RemoteError} When the place does not give them.
 * @throws {DiskError} When the disk does not take them.
 */
export async function fetchPart(
  remote: Remote,
  order: PartOrder,
  patience: RetryPolicy,
  { signal, onBytes, onStart = () => {} }: PartOptions,
): Promise<string> {
  const { file, range: { start, end }, path } = order;
  signal.throwIfAborted();
  using out = await onDisk(path, () => openPlainFile(path));
  const attempts = new Attempts(patience, signal);
  let hash = await onDisk(path, () => hashOfStart(out, order, signal));
  let at = start + (order.start?.bytes ?? 0);
  let reported = at;
  // What comes a second time is no progress: a loop must end.
  let furthest = at;
  await out.seek(at, Deno.SeekMode.Start);
  // No range of nothing can be asked for.
  while (at < end || end === start) {
    using watch = new StallWatch(patience.stallMs, signal);
    try {
      for await (
        const bytes of reading(remote, file, { start: at, end }, watch)
      ) {
        try {
          writeAll(out, bytes);
        } catch (error) {
          throw diskError(path, error);
        }
        hash.update(bytes);
        at += bytes.length;
        if (at >= reported + REPORT_BYTES) {
          reported = at;
          const crc32 = order.hash === "crc32" ? hash.digest() : undefined;
          const bytes = at - start;
          onStart(crc32 === undefined ? { bytes } : { bytes, crc32 });
        }
        onBytes(bytes.length);
      }
      return hash.digest();
    } catch (thrown) {
      const error = watch.explain(thrown, `${file.path} of ${remote.place}`);
      const whole = start === 0 && end === file.size && at > 0 &&
        error instanceof RemoteError && error.remedy.type === "whole";
      await attempts.after(whole ? again(error) : error, at > furthest);
      furthest = Math.max(furthest, at);
      if (!whole) continue;
      onBytes(-at);
      hash = contentHash(order.hash, file.size);
      at = 0;
      reported = 0;
      await out.seek(0, Deno.SeekMode.Start);
    }
  }
  return hash.digest();
}

const READ_BYTES = 2 ** 18;

/** The hash of what an earlier attempt has written; read again, but for CRC-32. */
async function hashOfStart(
  file: Deno.FsFile,
  { file: { size }, range, hash: kind, start }: PartOrder,
  signal: AbortSignal,
): Promise<ContentHash> {
  const hash = contentHash(kind, size, start?.crc32);
  if (start === undefined || kind === "crc32") return hash;
  await file.seek(range.start, Deno.SeekMode.Start);
  const memory = new Uint8Array(READ_BYTES);
  for (let left = start.bytes; left > 0;) {
    signal.throwIfAborted();
    const count = await file.read(memory.subarray(0, left));
    // Shorter than it was: what is hashed is not what is promised.
    if (count === null) break;
    hash.update(memory.subarray(0, count));
    left -= count;
  }
  return hash;
}

/** The bytes of `range`, no more and no fewer. */
async function* reading(
  remote: Remote,
  file: RemoteFile,
  range: ByteRange,
  watch: StallWatch,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { signal } = watch;
  const stream = await remote.read(file, range, signal);
  const reader = chunkReader(stream);
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  let left = range.end - range.start;
  try {
    for (;;) {
      const value = await readFrom(reader, file.path);
      signal.throwIfAborted();
      if (value === undefined) break;
      watch.moved();
      if (value.length > left) {
        throw retry(`Cannot read ${file.path}: more bytes came than asked for`);
      }
      left -= value.length;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel().catch(() => {});
  }
  if (left > 0) {
    throw retry(
      `Cannot read ${file.path}: the answer ends ${left} bytes early`,
    );
  }
}

async function readFrom(
  reader: ChunkReader,
  path: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await reader.read();
  } catch (cause) {
    throw retry(`Cannot read ${path}: the connection broke off`, cause);
  }
}

/** In one thread: it waits for a copy into the page cache, not for the disk. */
function writeAll(out: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += out.writeSync(bytes.subarray(at));
}

function again(cause: RemoteError): RemoteError {
  return retry(cause.message, cause);
}

function retry(message: string, cause?: unknown): RemoteError {
  return new RemoteError(
    message,
    { type: "retry", retryAfterMs: undefined },
    { cause },
  );
}
