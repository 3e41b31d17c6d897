/**
 * A file of a place, brought into a folder of blobs.
 *
 * ```text
 * blobs/<name>                    complete, checked, never written again
 *      /<name>.emu3.incomplete    as long as it will be, with holes
 *      /<name>.emu3.journal       which parts of it are here
 * ```
 *
 * The suffix is ours alone: other tools take the length of what they call
 * `.incomplete` for how far it has come.
 *
 * @module
 */

import { join } from "node:path";
import { blobName } from "./snapshots/hub_layout.ts";
import { type ExpectedHash, expectedHash } from "./content_hash.ts";
import { onDisk } from "./disk.ts";
import type { PartOptions, PartOrder } from "./fetch_part.ts";
import { FrontHash } from "./front_hash.ts";
import { hashFile } from "./hashing/hash_file.ts";
import { PartJournal } from "./part_journal.ts";
import { PartSaver } from "./part_saver.ts";
import type { Fetcher } from "./part_workers.ts";
import { frontOf, partBytesOf, partsOf } from "./parts.ts";
import {
  type ByteRange,
  RemoteError,
  type RemoteFile,
  type RemoteParts,
} from "./remote.ts";
import { type Limit, sideBySide } from "./side_by_side.ts";

/** How a file is brought. */
export interface FileOptions extends PartOptions {
  /** Where it goes. */
  readonly blobs: string;
  /** Who fetches. */
  readonly fetcher: Fetcher;
  /** Parts at once, of all files together. */
  readonly limit: Limit;
  /** Bytes of a part of a file of so many; for tests to have small ones. */
  readonly partBytes: (size: number) => number;
}

/** As a server should have it. */
export const PART_BYTES: FileOptions["partBytes"] = partBytesOf;

/** Times that a file is brought again when it is not what was promised. */
const ROUNDS = 3;

/**
 * Brings `file`, unless it is there.
 *
 * @throws {RemoteError} When its place does not give it, or something else.
 * @throws {DiskError} When the disk does not take it.
 */
export async function downloadFile(
  file: RemoteFile,
  options: FileOptions,
): Promise<void> {
  const name = blobName(file);
  const blob = join(options.blobs, name);
  const incomplete = `${blob}.emu3.incomplete`;
  const journal = `${blob}.emu3.journal`;
  const known = promisedParts(file, options.partBytes(file.size));
  const partBytes = known?.bytes ?? options.partBytes(file.size);
  // SHA-1 is not worth a thread: whoever says nothing else keeps small files.
  const small = file.size <= partBytes || expectedHash(file)?.kind === "git";
  if (small) {
    await bringWhole(file, incomplete, options);
  } else {
    const places = { incomplete, journal, partBytes };
    await bringInParts({ ...file, parts: known }, places, options);
  }
  await onDisk(blob, () => Deno.rename(incomplete, blob));
  await Deno.remove(journal).catch(() => {});
}

/** How far from our own the size of parts may be that a place has hashes of. */
const PART_RATIO = 8;

/** The parts that a place has hashes of, unless they are of no use to us. */
function promisedParts(
  { parts, size }: RemoteFile,
  partBytes: number,
): RemoteParts | undefined {
  const usable = parts !== undefined &&
    parts.bytes >= partBytes / PART_RATIO &&
    parts.bytes <= partBytes * PART_RATIO &&
    parts.sha256.length === Math.ceil(size / parts.bytes);
  return usable ? parts : undefined;
}

/** In one piece, hashed as it comes. */
async function bringWhole(
  file: RemoteFile,
  incomplete: string,
  { fetcher, limit, signal, onBytes }: FileOptions,
): Promise<void> {
  const expected = expectedHash(file);
  using data = await preallocate(incomplete, file.size);
  for (let round = 1;; round++) {
    const order = {
      file,
      range: { start: 0, end: file.size },
      path: incomplete,
      hash: expected?.kind ?? "crc32",
    };
    const hash = await limit(() => fetcher.fetch(order, { signal, onBytes }));
    if (expected === undefined || hash === expected.hex) break;
    if (round === ROUNDS - 1) throw await wrong(file, incomplete);
    onBytes(-file.size);
  }
  await onDisk(incomplete, () => data.file.syncData());
}

/** A file, and the hashes of its parts if they are known. */
type PartedFile = Omit<RemoteFile, "parts"> & {
  readonly parts: RemoteParts | undefined;
};

/** Where the parts of a file are kept. */
interface PartPlaces {
  readonly incomplete: string;
  readonly journal: string;
  readonly partBytes: number;
}

async function bringInParts(
  file: PartedFile,
  { incomplete, journal: journalPath, partBytes }: PartPlaces,
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
  for (let round = 1;; round++) {
    using front = sha256 === undefined
      ? undefined
      : new FrontHash(incomplete, size);
    const saver = new PartSaver(incomplete, data.file, journal);
    const work = { file, parts, incomplete, journal, saver, front };
    try {
      await bringMissing(work, { ...options, onBytes });
    } catch (error) {
      if (!(error instanceof RemoteError) || error.remedy.type !== "whole") {
        throw error;
      }
      options.onBytes(-counted);
      return await bringWhole(plain(file), incomplete, options);
    }
    if (front === undefined || await front.result === sha256) return;
    const torn = await tornParts(incomplete, parts, journal);
    // Parts that are as promised will be the same again.
    const final = round > 1 || file.parts !== undefined;
    if (round === ROUNDS || (final && torn.length === 0)) {
      throw await wrong(file, incomplete, journalPath);
    }
    // The disk is to blame for those; else who knows which: all of them.
    const again = torn.length > 0 ? torn : [...journal.parts.keys()];
    for (const part of again) onBytes(-lengthOf(parts[part]!));
    await journal.forget(again);
  }
}

/** What bringing the parts of a file needs. */
interface PartWork {
  readonly file: PartedFile;
  readonly parts: readonly ByteRange[];
  readonly incomplete: string;
  readonly journal: PartJournal;
  readonly saver: PartSaver;
  readonly front: FrontHash | undefined;
}

/** Fetches the parts that the journal lacks, and notes those that come. */
async function bringMissing(
  work: PartWork,
  options: FileOptions,
): Promise<void> {
  const { parts, journal, saver, front } = work;
  const here = new Set(journal.parts.keys());
  front?.advance(frontOf(parts, here));
  const missing = [...parts.keys()].filter((part) => !here.has(part));
  try {
    await sideBySide(
      missing.map((part) => async (signal) => {
        const hash = await bringPart(work, part, { ...options, signal });
        here.add(part);
        saver.add(part, hash);
        front?.advance(frontOf(parts, here));
      }),
      options.limit,
      options.signal,
    );
  } finally {
    await saver.flush();
  }
}

/** Fetches a part, again while it is not what its place promised. */
async function bringPart(
  { file, parts, incomplete }: PartWork,
  part: number,
  { fetcher, signal, onBytes }: FileOptions,
): Promise<ExpectedHash> {
  const expected = file.parts?.sha256[part];
  const kind = expected === undefined ? "crc32" : "sha256";
  const range = parts[part]!;
  const order: PartOrder = {
    file: plain(file),
    range,
    path: incomplete,
    hash: kind,
  };
  for (let round = 1;; round++) {
    let came = 0;
    const count = (bytes: number) => {
      came += bytes;
      onBytes(bytes);
    };
    try {
      const hex = await fetcher.fetch(order, { signal, onBytes: count });
      if (expected === undefined || hex === expected) return { kind, hex };
      if (round === ROUNDS) {
        throw notPromised(`bytes ${range.start} to ${range.end} of `, file);
      }
    } catch (error) {
      // Bytes of parts that are not whole do not stay.
      onBytes(-came);
      throw error;
    }
    onBytes(-came);
  }
}

/** Without hashes of parts: whoever fetches one of them needs none. */
function plain({ parts: _, ...file }: PartedFile): RemoteFile {
  return file;
}

/** Parts that are not on the disk as they came, by index. */
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

/** A file with room for all bytes, and whether it had that before. */
async function preallocate(
  path: string,
  size: number,
): Promise<Disposable & { file: Deno.FsFile; asLong: boolean }> {
  return await onDisk(path, async () => {
    const file = await Deno.open(path, {
      read: true,
      write: true,
      create: true,
    });
    try {
      const asLong = (await file.stat()).size === size;
      if (!asLong) await file.truncate(size);
      return { file, asLong, [Symbol.dispose]: () => file.close() };
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

/** Content that is not what its place promised. */
async function wrong(
  file: PartedFile | RemoteFile,
  ...remains: readonly string[]
): Promise<RemoteError> {
  for (const path of remains) await Deno.remove(path).catch(() => {});
  return notPromised("", file);
}

function notPromised(what: string, { path }: PartedFile | RemoteFile) {
  return new RemoteError(
    `Cannot use ${what}${path}: the content does not have the hash that its place promises, fetched again and again`,
    { type: "elsewhere" },
  );
}

function lengthOf({ start, end }: ByteRange): number {
  return end - start;
}
