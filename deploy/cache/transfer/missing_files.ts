/**
 * The files of a listing that are missing, and the space that they need.
 *
 * @module
 */

import { join } from "node:path";
import { expectedHash } from "../hashing/content_hash.ts";
import { DiskError, freeBytes } from "../base/disk.ts";
import { hashFile } from "../hashing/hash_file.ts";
import type { ProgressTracker } from "../progress_tracker.ts";
import { formatBytes } from "../progress.ts";
import type { RemoteSnapshot } from "../net/remote.ts";
import { blobName, keptFiles } from "../snapshots/hub_layout.ts";

/** Returns the files without a trusted blob; others are counted as present. */
export async function missingFiles(
  repository: string,
  { files }: RemoteSnapshot,
  trusted: ReadonlySet<string>,
  tracker: ProgressTracker,
): Promise<RemoteSnapshot["files"]> {
  const missing: RemoteSnapshot["files"][number][] = [];
  const named = new Set<string>();
  for (const file of files) {
    const name = blobName(file);
    // The same content under two names is one blob.
    if (named.has(name)) {
      tracker.add(file.size);
      continue;
    }
    named.add(name);
    const path = join(repository, "blobs", name);
    const there = await Deno.stat(path).catch(() => undefined);
    const key = `${name} ${there?.size} ${there?.mtime?.getTime()}`;
    if (there?.size === file.size) {
      const expected = expectedHash(file);
      tracker.verifying = true;
      const same = trusted.has(key) || expected !== undefined &&
          (await hashFile({ path, kind: expected.kind })).hex === expected.hex;
      tracker.verifying = false;
      if (same) {
        tracker.add(file.size);
        continue;
      }
    }
    missing.push(file);
  }
  return missing;
}

/** Returns the keys of blobs that were downloaded here: name, size and time. */
export async function trustedBlobs(repository: string): Promise<Set<string>> {
  const trusted = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(join(repository, ".emu3"))) {
      if (!name.endsWith(".json")) continue;
      const kept = await keptFiles(repository, name.slice(0, -".json".length));
      for (const { blob, size, mtimeMs } of kept ?? []) {
        trusted.add(`${blob} ${size} ${mtimeMs}`);
      }
    }
  } catch {
    // No download has been recorded here.
  }
  return trusted;
}

/**
 * Rejects a download that does not fit on the disk, before it starts.
 *
 * @throws {DiskError} With the number of free bytes.
 */
export async function checkRoom(
  repository: string,
  missing: RemoteSnapshot["files"],
): Promise<void> {
  const free = await freeBytes(repository);
  let needed = 0;
  for (const file of missing) {
    const begun = join(
      repository,
      "blobs",
      `${blobName(file)}.emu3.incomplete`,
    );
    // Blocks, not length: the file has holes.
    const blocks = await Deno.stat(begun).then(
      ({ blocks }) => 512 * (blocks ?? 0),
      () => 0,
    );
    needed += Math.max(0, file.size - blocks);
  }
  if (free === undefined || needed <= free) return;
  throw new DiskError(
    `Cannot download ${formatBytes(needed)} into ${repository}: ${
      formatBytes(free)
    } are free; free space or set MODEL_CACHE to another folder`,
  );
}

/** Reports the files that cannot be checked. */
export function noteUnchecked(
  missing: RemoteSnapshot["files"],
  place: string,
  onNotice: (notice: string) => void,
): void {
  const unchecked = missing.filter((file) => expectedHash(file) === undefined);
  if (unchecked.length === 0) return;
  onNotice(
    `Cannot verify ${unchecked.length} files of ${place}: it provides no hashes; publish the model there with deno task models publish`,
  );
}
