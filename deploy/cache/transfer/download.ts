/**
 * The download of a checkpoint or adapter from a place on the network into the cache.
 *
 * ```text
 * lock ─▶ list ─▶ concurrent files in concurrent parts ─▶ snapshot ─▶ refs
 *           ▲                       │
 *           └──── has changed ──────┘
 * ```
 *
 * Received bytes are kept: the next attempt, in any process, resumes from
 * there. Content that another mirror has provided is not fetched twice.
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
import { type Fetcher, fetchHere, fetchInWorkers } from "./part_workers.ts";
import { type RetryPolicy, withRetries } from "../retry_policy.ts";
import {
  type Remote,
  RemoteError,
  type RemoteSnapshot,
} from "../net/remote.ts";
import type { OpenRemoteOf, RemoteVariables } from "../net/remote_for.ts";
import { runConcurrently } from "../base/concurrent_tasks.ts";
import { removeIfEmpty } from "../snapshots/empty_repository.ts";
import { takeLock } from "../snapshots/cache_lock.ts";
import {
  lockPath,
  nameRepository,
  refuseStray,
} from "../snapshots/hub_layout.ts";
import { commitSnapshot } from "../snapshots/commit_snapshot.ts";
import {
  ADAPTER_FILES,
  decisiveFile,
  isAdapter,
} from "../snapshots/required_files.ts";
import type { RemoteSource } from "../source.ts";
import type { ObtainProgress } from "../progress.ts";

/** The degree of concurrency and retries of a download. */
export interface DownloadEffort {
  /** Concurrent parts, over all files. */
  readonly connections: number;
  /** Threads that fetch; 0 for this one. */
  readonly workers: number;
  /** Missing bytes from which threads are worth their start. */
  readonly workersFrom: number;
  /** Returns the bytes of a part for a file of the given size. */
  readonly partBytes: FileOptions["partBytes"];
  /** Retry policy of a place. */
  readonly retryPolicy: RetryPolicy;
}

/** Destination and options of a download. */
export interface DownloadOptions extends DownloadEffort {
  /** A Hugging Face cache (the folder named `hub`). */
  readonly cache: string;
  /** Name of the repository's folder in it, which mirrors share. */
  readonly repository: string;
  /** Source of the repository, where its folder name does not show it. */
  readonly madeOf: string | undefined;
  /** Revision that names the snapshot. */
  readonly revision: string;
  /** Environment variables that remotes read. */
  readonly variables: RemoteVariables;
  /** True to hash present files, even those with unchanged times. */
  readonly verify: boolean;
  /** Opens remotes. */
  readonly openRemote: OpenRemoteOf;
  /** Called with the progress. */
  readonly onProgress: (progress: ObtainProgress) => void;
  /** Called with a notice about files whose content cannot be checked. */
  readonly onNotice: (notice: string) => void;
  /** Cancels the download. */
  readonly signal: AbortSignal;
}

/** Maximum listings of a source that changes during the download. */
const MAX_LISTINGS = 4;

/**
 * Downloads `source` into the cache.
 *
 * @returns The folder of the snapshot, complete.
 * @throws {RemoteError} When the place does not provide it.
 * @throws {DiskError} When the disk does not store it.
 */
export async function download(
  source: RemoteSource,
  options: DownloadOptions,
): Promise<string> {
  const { variables, retryPolicy, onProgress, signal } = options;
  using opened = await options.openRemote(source, variables, undefined);
  const { remote } = opened;
  for (let listings = 1;; listings++) {
    onProgress({
      phase: "resolve",
      bytes: 0,
      totalBytes: undefined,
      place: remote.place,
    });
    const snapshot = await withRetries(
      remote.place,
      (signal) => remote.list(signal),
      retryPolicy,
      signal,
    );
    try {
      const needed = neededFiles(remote, snapshot);
      return await bring(source, remote, needed, options);
    } catch (error) {
      await removeIfEmpty(join(options.cache, options.repository));
      const changed = error instanceof RemoteError &&
        error.remedy.type === "changed";
      if (!changed || listings === MAX_LISTINGS) throw error;
    }
  }
}

/** Takes the lock of a repository; reports while another process holds it. */
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

/** Creates the folder of a repository, once there is content for it. */
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
  const { commit } = snapshot;
  const { cache, variables, retryPolicy, signal } = options;
  const repository = join(cache, options.repository);
  await makeRepository(repository, options.madeOf);
  using tracker = new ProgressTracker(
    snapshot,
    remote.place,
    options.onProgress,
  );
  const trusted = options.verify
    ? new Set<string>()
    : await trustedBlobs(repository);
  const missing = await missingFiles(repository, snapshot, trusted, tracker);
  await checkRoom(repository, missing);
  noteUnchecked(missing, remote.place, options.onNotice);
  const large = missing.reduce((sum, { size }) => sum + size, 0) >=
    options.workersFrom;
  using fetcher: Fetcher = options.workers > 0 && large
    ? fetchInWorkers(
      { source, variables, commit },
      retryPolicy,
      options.workers,
    )
    : fetchHere(remote, retryPolicy);
  const limit = pLimit(options.connections);
  await runConcurrently(
    missing.map((file) => (signal) =>
      downloadFile(file, {
        blobs: join(repository, "blobs"),
        fetcher,
        limit,
        partBytes: options.partBytes,
        onBytes: (count) => tracker.add(count),
        signal,
      })
    ),
    // Files that wait for their parts use no capacity of parts.
    pLimit(options.connections),
    signal,
  );
  tracker.report();
  return await commitSnapshot(repository, snapshot, {
    revision: options.revision,
    place: remote.place,
  });
}

/**
 * Returns the files of a listing that are used: of an adapter none but its own,
 * since runs leave checkpoints beside it.
 *
 * @throws {RemoteError} If it is neither a checkpoint nor a usable adapter.
 */
function neededFiles(
  { place }: Remote,
  { commit, files }: RemoteSnapshot,
): RemoteSnapshot {
  const unusable = (reason: string) =>
    new RemoteError(`Cannot use ${place}: ${reason}`, { type: "elsewhere" });
  const paths = files.map(({ path }) => path);
  if (decisiveFile(paths) === undefined) {
    throw unusable(
      "it has no config.json, so it is not a checkpoint, and no adapter_config.json of an adapter",
    );
  }
  if (!isAdapter(paths)) return { commit, files };
  const lacking = ADAPTER_FILES.find((name) => !paths.includes(name));
  if (lacking !== undefined) {
    throw unusable(
      `its adapter has no ${lacking}; save it again with PEFT, as safetensors`,
    );
  }
  const own = files.filter(({ path }) => ADAPTER_FILES.includes(path));
  return { commit, files: own };
}
