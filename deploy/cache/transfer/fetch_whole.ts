/**
 * The download of a file in one piece, hashed on arrival.
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

/** Bytes below which a file is not journaled but fetched again. */
const JOURNALED_BYTES = 2 ** 19;

/**
 * Downloads `file` in one piece, from the end of an earlier attempt.
 *
 * @throws {RemoteError} When its place does not provide it, or provides other
 * content.
 * @throws {DiskError} When the disk does not store it.
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

/** Fetches the file, with retries while it does not match its hash. */
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
  // Without the recorded hash, the earlier bytes are useless.
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
