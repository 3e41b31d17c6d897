/**
 * The download of a file in concurrent parts.
 *
 * @module
 */

import { blobName } from "../snapshots/hub_layout.ts";
import type { ExpectedHash } from "../hashing/content_hash.ts";
import { onDisk } from "../base/disk.ts";
import {
  type FileOptions,
  type FilePlaces,
  ROUNDS,
} from "../base/file_options.ts";
import type { PartOrder } from "./fetch_part.ts";
import { PrefixHash } from "./prefix_hash.ts";
import { hashFile } from "../hashing/hash_file.ts";
import { discard, notPromised, preallocate } from "./incomplete_file.ts";
import { PartJournal } from "./part_journal.ts";
import { PartSaver } from "./part_saver.ts";
import { partsOf, prefixBytesOf } from "./parts.ts";
import {
  type ByteRange,
  RemoteError,
  type RemoteFile,
  type RemoteParts,
} from "../net/remote.ts";
import { runConcurrently } from "../base/concurrent_tasks.ts";

/** A file, and the hashes of its parts if they are known. */
export type PartedFile = Omit<RemoteFile, "parts"> & {
  readonly parts: RemoteParts | undefined;
};

/**
 * Downloads the missing parts of `file`.
 *
 * @param partBytes Bytes of each part but the last.
 * @throws {RemoteError} When its place does not provide it, or provides other
 * content; with the remedy `whole` when it serves no ranges.
 * @throws {DiskError} When the disk does not store it.
 */
export async function bringInParts(
  file: PartedFile,
  { incomplete, journal: journalPath }: FilePlaces,
  partBytes: number,
  options: FileOptions,
): Promise<void> {
  const parts = partsOf(file.size, partBytes);
  const { size, sha256 } = file;
  using data = await preallocate(incomplete, size);
  using journal = await onDisk(journalPath, () =>
    PartJournal.open(
      journalPath,
      { file: blobName(file), size, partBytes },
      !data.asLong,
    ));
  let counted = 0;
  const onBytes = (count: number) => {
    counted += count;
    options.onBytes(count);
  };
  for (const part of journal.parts.keys()) onBytes(lengthOf(parts[part]!));
  for (const { bytes } of journal.starts.values()) onBytes(bytes);
  for (let round = 1;; round++) {
    using prefix = sha256 === undefined
      ? undefined
      : new PrefixHash(incomplete, size);
    const saver = new PartSaver(incomplete, data.file, journal, partBytes);
    const work = { file, parts, incomplete, journal, saver, prefix };
    try {
      await bringMissing(work, { ...options, onBytes });
    } catch (error) {
      // Parts of a whole-file response are useless for another one.
      const whole = error instanceof RemoteError &&
        error.remedy.type === "whole";
      if (whole) options.onBytes(-counted);
      throw error;
    }
    if (prefix === undefined || await prefix.result === sha256) return;
    const torn = await tornParts(incomplete, parts, journal);
    // Parts that match their hashes would be the same again.
    const final = round > 1 || file.parts !== undefined;
    if (round === ROUNDS || (final && torn.length === 0)) {
      throw await discard(file, incomplete, journalPath);
    }
    // Torn parts are the disk's fault; otherwise any part may be wrong.
    const again = torn.length > 0 ? torn : [...journal.parts.keys()];
    for (const part of again) onBytes(-lengthOf(parts[part]!));
    await journal.forget(again);
  }
}

/** State shared by the steps that download the parts of a file. */
interface PartWork {
  readonly file: PartedFile;
  readonly parts: readonly ByteRange[];
  readonly incomplete: string;
  readonly journal: PartJournal;
  readonly saver: PartSaver;
  readonly prefix: PrefixHash | undefined;
}

/** Fetches the parts that the journal lacks, and records those that arrive. */
async function bringMissing(
  work: PartWork,
  options: FileOptions,
): Promise<void> {
  const { parts, journal, saver, prefix } = work;
  const here = new Set(journal.parts.keys());
  prefix?.advance(prefixBytesOf(parts, here));
  const missing = [...parts.keys()].filter((part) => !here.has(part));
  try {
    await runConcurrently(
      missing.map((part) => async (signal) => {
        const hash = await bringPart(work, part, { ...options, signal });
        here.add(part);
        saver.add(part, hash);
        prefix?.advance(prefixBytesOf(parts, here));
      }),
      options.limit,
      options.signal,
    );
  } finally {
    await saver.flush();
  }
}

/** Fetches a part, with retries while it does not match its hash. */
async function bringPart(
  { file, parts, incomplete, journal, saver }: PartWork,
  part: number,
  { fetcher, signal, onBytes }: FileOptions,
): Promise<ExpectedHash> {
  const expected = file.parts?.sha256[part];
  const kind = expected === undefined ? "crc32" : "sha256";
  const range = parts[part]!;
  let start = journal.starts.get(part);
  // The hash continues from the recorded one.
  if (kind === "crc32" && start?.crc32 === undefined) {
    onBytes(-(start?.bytes ?? 0));
    start = undefined;
  }
  for (let round = 1;; round++) {
    const order: PartOrder = {
      file: plain(file),
      range,
      path: incomplete,
      hash: kind,
      start,
    };
    const hex = await fetcher.fetch(order, {
      signal,
      onBytes,
      onStart: (start) => saver.addStart(part, start),
    });
    if (expected === undefined || hex === expected) return { kind, hex };
    onBytes(-lengthOf(range));
    saver.restart(part);
    start = undefined;
    if (round === ROUNDS) {
      throw notPromised(`bytes ${range.start} to ${range.end} of `, file);
    }
  }
}

/** Returns the file without hashes of parts: fetching one part needs none. */
export function plain({ parts: _, ...file }: PartedFile): RemoteFile {
  return file;
}

/**
 * Returns the parts whose bytes on the disk differ from those received, by
 * index.
 */
async function tornParts(
  path: string,
  parts: readonly ByteRange[],
  journal: PartJournal,
): Promise<number[]> {
  const torn: number[] = [];
  for (const [part, { kind, hex }] of journal.parts) {
    const range = parts[part]!;
    if ((await hashFile({ path, kind, range })).hex !== hex) torn.push(part);
  }
  return torn;
}

function lengthOf({ start, end }: ByteRange): number {
  return end - start;
}
