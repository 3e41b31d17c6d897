/**
 * A file that comes in one piece, hashed as it comes.
 *
 * @module
 */

import { blobName } from "../snapshots/hub_layout.ts";
import { expectedHash } from "../hashing/content_hash.ts";
import { onDisk } from "../base/disk.ts";
import {
  type FileOptions,
  type FilePlaces,
  ROUNDS,
} from "../base/file_options.ts";
import { discard, preallocate } from "./incomplete_file.ts";
import { PartJournal } from "./part_journal.ts";
import { PartSaver } from "./part_saver.ts";
import type { RemoteFile } from "../net/remote.ts";

/** Smaller ones are fetched again as a whole. */
const JOURNALED_BYTES = 2 ** 19;

/**
 * Brings `file` in one piece, from where an earlier attempt got to.
 *
 * @throws {RemoteError} When its place does not give it, or something else.
 * @throws {DiskError} When the disk does not take it.
 */
export async function bringWhole(
  file: RemoteFile,
  { incomplete, journal: path }: FilePlaces,
  options: FileOptions,
): Promise<void> {
  using data = await preallocate(incomplete, file.size);
  if (file.size < JOURNALED_BYTES) {
    await fetchWhole(file, [incomplete, path], options, undefined);
  } else {
    const job = {
      file: blobName(file),
      size: file.size,
      partBytes: file.size,
    };
    using journal = await onDisk(
      path,
      () => PartJournal.open(path, job, !data.asLong),
    );
    const saver = new PartSaver(incomplete, data.file, journal, file.size);
    try {
      await fetchWhole(file, [incomplete, path], options, { journal, saver });
    } finally {
      await saver.flush();
    }
  }
  await onDisk(incomplete, () => data.file.syncData());
}

/** Fetches the file, and again while it is not what its place promised. */
async function fetchWhole(
  file: RemoteFile,
  remains: readonly [incomplete: string, journal: string],
  { fetcher, limit, signal, onBytes }: FileOptions,
  notes: { journal: PartJournal; saver: PartSaver } | undefined,
): Promise<void> {
  const expected = expectedHash(file);
  const hash = expected?.kind ?? "crc32";
  const range = { start: 0, end: file.size };
  let start = notes?.journal.starts.get(0);
  // Of a hash that is not known any more, nothing can be gone on with.
  if (hash === "crc32" && start?.crc32 === undefined) start = undefined;
  onBytes(start?.bytes ?? 0);
  for (let round = 1;; round++) {
    const order = { file, range, path: remains[0], hash, start };
    const hex = await limit(() =>
      fetcher.fetch(order, {
        signal,
        onBytes,
        onStart: (start) => notes?.saver.addStart(0, start),
      })
    );
    if (expected === undefined || hex === expected.hex) return;
    onBytes(-file.size);
    notes?.saver.restart(0);
    start = undefined;
    if (round === ROUNDS - 1) throw await discard(file, ...remains);
  }
}
