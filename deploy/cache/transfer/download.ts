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
import { onDisk } from "../base/disk.ts";
import { downloadFile } from "./download_file.ts";
import type { FileOptions } from "../base/file_options.ts";
import { ProgressTracker } from "../progress_tracker.ts";
import {
  checkRoom,
  missingFiles,
  noteUnchecked,
  trustedBlobs,
} from "./missing_files.ts";
import type { ObtainProgress } from "../obtain.ts";
import { type Fetcher, fetchHere, fetchInWorkers } from "./part_workers.ts";
import { patiently, type RetryPolicy } from "../retry_policy.ts";
import {
  type Remote,
  RemoteError,
  type RemoteSnapshot,
} from "../net/remote.ts";
import type { OpenRemoteOf, RemoteVariables } from "../net/remote_for.ts";
import { sideBySide } from "../base/side_by_side.ts";
import { removeIfEmpty } from "../snapshots/empty_repository.ts";
import { takeLock } from "../snapshots/cache_lock.ts";
import {
  lockPath,
  nameRepository,
  refuseStray,
} from "../snapshots/hub_layout.ts";
import { reveal } from "../snapshots/commit_snapshot.ts";
import type { RemoteSource } from "../source.ts";

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
  readonly patience: RetryPolicy;
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
      await removeIfEmpty(join(options.cache, options.repository));
      const changed = error instanceof RemoteError &&
        error.remedy.type === "changed";
      if (!changed || listings === MAX_LISTINGS) throw error;
    }
  }
}

/** Holds the lock of a repository; whoever comes later waits, and says so. */
export async function lockRepository(
  { cache, repository, onProgress, signal }: DownloadOptions,
): Promise<Disposable> {
  const path = lockPath(cache, repository);
  await onDisk(path, async () => {
    await refuseStray(cache, repository);
    await Deno.mkdir(join(cache, ".locks", repository), { recursive: true });
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

/** Makes the folder of a repository, once there is something to put into it. */
async function makeRepository(
  repository: string,
  madeOf: string | undefined,
): Promise<void> {
  await onDisk(repository, async () => {
    // Other tools warn of a repository without the second.
    for (const name of ["blobs", "snapshots"]) {
      await Deno.mkdir(join(repository, name), { recursive: true });
    }
    if (madeOf !== undefined) await nameRepository(repository, madeOf);
  });
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
  await makeRepository(repository, options.madeOf);
  using meter = new ProgressTracker(snapshot, remote.place, options.onProgress);
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
