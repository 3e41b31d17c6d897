/**
 * A checkpoint, brought from a place on the network into the cache.
 *
 * ```text
 * lock ─▶ list ─▶ files side by side, in parts side by side ─▶ snapshot ─▶ refs
 *           ▲                       │
 *           └──── has changed ──────┘
 * ```
 *
 * What has come stays: the next attempt, of whatever process, goes on from
 * there. What other mirrors have of the same content is not fetched twice.
 *
 * @module
 */

import { join } from "node:path";
import pLimit from "p-limit";
import { takeLock } from "./snapshots/cache_lock.ts";
import { expectedHash } from "./content_hash.ts";
import { hashFile } from "./hashing/hash_file.ts";
import { DiskError, freeBytes, onDisk } from "./disk.ts";
import { downloadFile, type FileOptions } from "./download_file.ts";
import {
  blobName,
  keptFiles,
  lockPath,
  nameRepository,
} from "./snapshots/hub_layout.ts";
import { reveal } from "./snapshots/reveal.ts";
import type { ObtainProgress } from "./obtain.ts";
import { type Fetcher, fetchHere, fetchInWorkers } from "./part_workers.ts";
import { type Patience, patiently } from "./patience.ts";
import { formatBytes } from "./progress.ts";
import { type Remote, RemoteError, type RemoteSnapshot } from "./remote.ts";
import type { OpenRemoteOf, RemoteVariables } from "./remote_for.ts";
import { sideBySide } from "./side_by_side.ts";
import type { RemoteSource } from "./source.ts";

/** How much is done at once. */
export interface DownloadEffort {
  /** Parts that come at once, of all files together. */
  readonly connections: number;
  /** Threads that fetch; 0 for this one. */
  readonly workers: number;
  /** Bytes that are missing from which on threads are worth their start. */
  readonly workersFrom: number;
  /** Bytes of a part of a file of so many. */
  readonly partBytes: FileOptions["partBytes"];
  /** What is borne until a place is given up. */
  readonly patience: Patience;
}

/** Where a download goes, and how. */
export interface DownloadOptions extends DownloadEffort {
  /** A Hugging Face cache (the folder named `hub`). */
  readonly cache: string;
  /** The repository's folder in it, which mirrors share. */
  readonly repository: string;
  /** What the repository is of, where its folder does not say. */
  readonly madeOf: string | undefined;
  /** What the snapshot will be called. */
  readonly revision: string;
  /** What remotes read of the environment. */
  readonly variables: RemoteVariables;
  /** Whether what is here already is hashed, whatever its times say. */
  readonly verify: boolean;
  /** Opens remotes. */
  readonly openRemote: OpenRemoteOf;
  /** Hears how far it is. */
  readonly onProgress: (progress: ObtainProgress) => void;
  /** Hears of files whose content nobody can check. */
  readonly onNotice: (notice: string) => void;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** Times that a place may change under our hands. */
const MAX_LISTINGS = 4;

const TELL_MS = 100;

/**
 * Brings `source` into the cache.
 *
 * @returns The folder of the snapshot, complete.
 * @throws {RemoteError} When the place does not give it.
 * @throws {DiskError} When the disk does not take it.
 */
export async function download(
  source: RemoteSource,
  options: DownloadOptions,
): Promise<string> {
  const { variables, patience, onProgress, signal } = options;
  using opened = await options.openRemote(source, variables, undefined);
  const { remote } = opened;
  for (let listings = 1;; listings++) {
    onProgress({
      phase: "resolve",
      bytes: 0,
      totalBytes: undefined,
      place: remote.place,
    });
    const snapshot = await patiently(
      remote.place,
      (signal) => remote.list(signal),
      patience,
      signal,
    );
    try {
      return await bring(source, remote, snapshot, options);
    } catch (error) {
      const changed = error instanceof RemoteError &&
        error.remedy.type === "changed";
      if (!changed || listings === MAX_LISTINGS) throw error;
    }
  }
}

/** Holds the lock of a repository; whoever comes later waits, and says so. */
export async function lockRepository(
  { cache, repository, madeOf, onProgress, signal }: DownloadOptions,
): Promise<Disposable> {
  const path = lockPath(cache, repository);
  await onDisk(path, async () => {
    await Deno.mkdir(join(cache, ".locks", repository), { recursive: true });
    await Deno.mkdir(join(cache, repository, "blobs"), { recursive: true });
    if (madeOf !== undefined) {
      await nameRepository(join(cache, repository), madeOf);
    }
  });
  return await onDisk(path, () =>
    takeLock(path, signal, () =>
      onProgress({
        phase: "wait",
        bytes: 0,
        totalBytes: undefined,
        place: `another process, which holds ${path}`,
      })));
}

async function bring(
  source: RemoteSource,
  remote: Remote,
  snapshot: RemoteSnapshot,
  options: DownloadOptions,
): Promise<string> {
  const { files, commit } = snapshot;
  if (!files.some(({ path }) => path === "config.json")) {
    throw new RemoteError(
      `Cannot use ${remote.place}: it has no config.json, so it is no checkpoint`,
      { type: "elsewhere" },
    );
  }
  const { cache, variables, patience, signal } = options;
  const repository = join(cache, options.repository);
  const meter = new Meter(snapshot, remote.place, options.onProgress);
  const trusted = options.verify
    ? new Set<string>()
    : await trustedBlobs(repository);
  const missing = await missingFiles(repository, snapshot, trusted, meter);
  await checkRoom(repository, missing);
  noteUnchecked(missing, remote.place, options.onNotice);
  const large = missing.reduce((sum, { size }) => sum + size, 0) >=
    options.workersFrom;
  using fetcher: Fetcher = options.workers > 0 && large
    ? fetchInWorkers({ source, variables, commit }, patience, options.workers)
    : fetchHere(remote, patience);
  const limit = pLimit(options.connections);
  await sideBySide(
    missing.map((file) => (signal) =>
      downloadFile(file, {
        blobs: join(repository, "blobs"),
        fetcher,
        limit,
        partBytes: options.partBytes,
        onBytes: (count) => meter.add(count),
        signal,
      })
    ),
    // Files that wait for their parts hold no place for parts.
    pLimit(options.connections),
    signal,
  );
  meter.tell();
  return await reveal(repository, snapshot, {
    revision: options.revision,
    place: remote.place,
  });
}

/** Says how much is taken on trust. */
function noteUnchecked(
  missing: RemoteSnapshot["files"],
  place: string,
  onNotice: (notice: string) => void,
): void {
  const unchecked = missing.filter((file) => expectedHash(file) === undefined);
  if (unchecked.length === 0) return;
  onNotice(
    `Cannot check ${unchecked.length} files of ${place}: it tells no hashes, publish the model there with deno task models publish`,
  );
}

/** Files without a blob that can be trusted; others are in the meter. */
async function missingFiles(
  repository: string,
  { files }: RemoteSnapshot,
  trusted: ReadonlySet<string>,
  meter: Meter,
): Promise<RemoteSnapshot["files"]> {
  const missing: RemoteSnapshot["files"][number][] = [];
  const named = new Set<string>();
  for (const file of files) {
    const name = blobName(file);
    // The same content under two names is one blob.
    if (named.has(name)) {
      meter.add(file.size);
      continue;
    }
    named.add(name);
    const path = join(repository, "blobs", name);
    const there = await Deno.stat(path).catch(() => undefined);
    const key = `${name} ${there?.size} ${there?.mtime?.getTime()}`;
    if (there?.size === file.size) {
      const expected = expectedHash(file);
      meter.verifying = true;
      const same = trusted.has(key) || expected !== undefined &&
          (await hashFile({ path, kind: expected.kind })).hex === expected.hex;
      meter.verifying = false;
      if (same) {
        meter.add(file.size);
        continue;
      }
    }
    missing.push(file);
  }
  return missing;
}

/** Blobs as they were downloaded here: name, size and time. */
async function trustedBlobs(repository: string): Promise<Set<string>> {
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
    // Nothing was downloaded here yet.
  }
  return trusted;
}

/** Refuses what will not fit, before a byte has come. */
async function checkRoom(
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
    } are free, make room or set MODEL_CACHE to another folder`,
  );
}

/** Bytes of all files together, told now and then. */
class Meter {
  readonly #total: number;
  readonly #place: string;
  readonly #onProgress: (progress: ObtainProgress) => void;
  #bytes = 0;
  #told = -Infinity;
  /** Whether what is here is being hashed. */
  verifying = false;

  constructor(
    { files }: RemoteSnapshot,
    place: string,
    onProgress: (progress: ObtainProgress) => void,
  ) {
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    this.#place = place;
    this.#onProgress = onProgress;
  }

  add(count: number): void {
    this.#bytes += count;
    if (performance.now() - this.#told > TELL_MS) this.tell();
  }

  tell(): void {
    this.#told = performance.now();
    this.#onProgress({
      phase: this.verifying ? "verify" : "download",
      bytes: this.#bytes,
      totalBytes: this.#total,
      place: this.#place,
    });
  }
}
