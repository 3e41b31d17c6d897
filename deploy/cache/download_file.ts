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
import { blobName } from "./hub_layout.ts";
import { expectedHash, hashFile } from "./content_hash.ts";
import { onDisk } from "./disk.ts";
import type { PartOptions } from "./fetch_part.ts";
import { FrontHash } from "./front_hash.ts";
import { PartJournal } from "./part_journal.ts";
import { PartSaver } from "./part_saver.ts";
import type { Fetcher } from "./part_workers.ts";
import { frontOf, partBytesOf, partsOf } from "./parts.ts";
import { type ByteRange, RemoteError, type RemoteFile } from "./remote.ts";
import { allOrNone, type Slots } from "./slots.ts";

/** How a file is brought. */
export interface FileOptions extends PartOptions {
  /** Where it goes. */
  readonly blobs: string;
  /** Who fetches. */
  readonly fetcher: Fetcher;
  /** Parts at once, of all files together. */
  readonly slots: Slots;
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
  const partBytes = options.partBytes(file.size);
  // SHA-1 is not worth a thread: whoever says nothing else keeps small files.
  const small = file.size <= partBytes || expectedHash(file)?.kind === "git";
  if (small) {
    await bringWhole(file, incomplete, options);
  } else {
    await bringInParts(file, { incomplete, journal, partBytes }, options);
  }
  await onDisk(blob, () => Deno.rename(incomplete, blob));
  await Deno.remove(journal).catch(() => {});
}

/** In one piece, hashed as it comes. */
async function bringWhole(
  file: RemoteFile,
  incomplete: string,
  { fetcher, slots, signal, onBytes }: FileOptions,
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
    const hash = await slots.run(() =>
      fetcher.fetch(order, { signal, onBytes })
    );
    if (expected === undefined || hash === expected.hex) break;
    if (round === ROUNDS - 1) throw await wrong(file, incomplete);
    onBytes(-file.size);
  }
  await onDisk(incomplete, () => data.file.syncData());
}

/** Where the parts of a file are kept. */
interface PartPlaces {
  readonly incomplete: string;
  readonly journal: string;
  readonly partBytes: number;
}

async function bringInParts(
  file: RemoteFile,
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
      return await bringWhole(file, incomplete, options);
    }
    if (front === undefined || await front.result === sha256) return;
    const torn = await tornParts(incomplete, parts, journal);
    if (round === ROUNDS || (round > 1 && torn.length === 0)) {
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
  readonly file: RemoteFile;
  readonly parts: readonly ByteRange[];
  readonly incomplete: string;
  readonly journal: PartJournal;
  readonly saver: PartSaver;
  readonly front: FrontHash | undefined;
}

/** Fetches the parts that the journal lacks, and notes those that come. */
async function bringMissing(
  { file, parts, incomplete, journal, saver, front }: PartWork,
  { fetcher, slots, signal, onBytes }: FileOptions,
): Promise<void> {
  const here = new Set(journal.parts.keys());
  front?.advance(frontOf(parts, here));
  const missing = [...parts.keys()].filter((part) => !here.has(part));
  try {
    await allOrNone(
      missing.map((part) => async (signal) => {
        const order = {
          file,
          range: parts[part]!,
          path: incomplete,
          hash: "crc32",
        } as const;
        let came = 0;
        const count = (bytes: number) => {
          came += bytes;
          onBytes(bytes);
        };
        try {
          const crc32 = await slots.run(() =>
            fetcher.fetch(order, { signal, onBytes: count })
          );
          here.add(part);
          saver.add(part, crc32);
          front?.advance(frontOf(parts, here));
        } catch (error) {
          // Bytes of parts that are not whole do not stay.
          onBytes(-came);
          throw error;
        }
      }),
      signal,
    );
  } finally {
    await saver.flush();
  }
}

/** Parts that are not on the disk as they came, by index. */
async function tornParts(
  path: string,
  parts: readonly ByteRange[],
  journal: PartJournal,
): Promise<number[]> {
  const torn: number[] = [];
  for (const [part, crc32] of journal.parts) {
    if (await hashFile(path, "crc32", parts[part]!) !== crc32) torn.push(part);
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
  file: RemoteFile,
  ...remains: readonly string[]
): Promise<RemoteError> {
  for (const path of remains) await Deno.remove(path).catch(() => {});
  return new RemoteError(
    `Cannot use ${file.path}: its content does not have the hash that its place promises, fetched again and again`,
    { type: "elsewhere" },
  );
}

function lengthOf({ start, end }: ByteRange): number {
  return end - start;
}
