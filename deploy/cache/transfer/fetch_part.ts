/**
 * The download of a range of a remote file, written to its place on arrival.
 *
 * An interrupted transfer resumes at the next byte. Memory holds only the bytes
 * of one read.
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

/** The first bytes of a part, which are already written. */
export interface PartStart {
  /** Number of bytes. */
  readonly bytes: number;
  /** CRC-32 of the bytes in hex; undefined for parts with another hash. */
  readonly crc32?: string;
}

/** A part to fetch, as plain data that may cross to a worker. */
export interface PartOrder {
  /** File that the part belongs to. */
  readonly file: RemoteFile;
  /** Range of the part. */
  readonly range: ByteRange;
  /** Path of a local file with the remote one's length. */
  readonly path: string;
  /** Kind of hash for the bytes. */
  readonly hash: HashKind;
  /**
   * Bytes of the part that an earlier attempt has written; undefined for none.
   */
  readonly start?: PartStart | undefined;
}

/** Options for fetching a part. */
export interface PartOptions {
  /** Cancels the fetch. */
  readonly signal: AbortSignal;
  /** Called with the number of bytes received; below 0 for discarded ones. */
  readonly onBytes: (count: number) => void;
  /** Called occasionally with the bytes of the part that are written. */
  readonly onStart?: (start: PartStart) => void;
}

/** Bytes between two reports on the written start of a part. */
const REPORT_BYTES = 2 ** 16;

/**
 * Fetches a part.
 *
 * @returns The hash of its bytes.
 * @throws {RemoteError} When the place does not provide them.
 * @throws {DiskError} When the disk does not store them.
 */
export async function fetchPart(
  remote: Remote,
  order: PartOrder,
  retryPolicy: RetryPolicy,
  { signal, onBytes, onStart = () => {} }: PartOptions,
): Promise<string> {
  const { file, range: { start, end }, path } = order;
  signal.throwIfAborted();
  using out = await onDisk(path, () => openPlainFile(path));
  const attempts = new Attempts(retryPolicy, signal);
  let hash = await onDisk(path, () => hashOfStart(out, order, signal));
  let at = start + (order.start?.bytes ?? 0);
  let reported = at;
  // Repeated bytes are no progress: the loop must end.
  let furthest = at;
  await out.seek(at, Deno.SeekMode.Start);
  // An empty range cannot be requested.
  while (at < end || end === start) {
    using watch = new StallWatch(retryPolicy.stallMs, signal);
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

/**
 * Returns the hash of the bytes from an earlier attempt; reads them again,
 * except for CRC-32.
 */
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
    // The file is too short: the final hash will not match.
    if (count === null) break;
    hash.update(memory.subarray(0, count));
    left -= count;
  }
  return hash;
}

/** Yields exactly the bytes of `range`. */
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
        throw retry(
          `Cannot read ${file.path}: more bytes arrived than were requested`,
        );
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
      `Cannot read ${file.path}: the response ended ${left} bytes early`,
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
    throw retry(`Cannot read ${path}: the connection was lost`, cause);
  }
}

/**
 * Writes synchronously: it waits for a copy into the page cache, not for the
 * disk.
 */
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
