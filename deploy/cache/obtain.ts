/**
 * The folder of a model, found on this machine or downloaded.
 *
 * ```text
 * folder ─▶ mounts ─▶ Hugging Face caches ─▶ each source on the network
 * └────────── locate.ts ───────────────┘      │
 *   snapshots/snapshot_check.ts               ▼
 *                                   lock, list, space      download.ts
 *                                   a file, in parts       download_file.ts
 *                                   a part, with retries   fetch_part.ts
 *                                   bytes of a range       hub/, stores/
 *                                   folder by one rename   commit_snapshot.ts
 * ```
 *
 * A model on this machine is never requested elsewhere, so a warm start needs
 * no network. A folder is returned only once it is complete.
 *
 * @module
 */

import { resolve } from "node:path";
import {
  download,
  type DownloadEffort,
  type DownloadOptions,
  lockRepository,
} from "./transfer/download.ts";
import { PART_BYTES } from "./transfer/download_file.ts";
import { repositoryName } from "./snapshots/hub_layout.ts";
import {
  isModel,
  type Places,
  searchLocal,
  SourceError,
  sourcesOf,
} from "./locate.ts";
import { DOWNLOAD_RETRIES } from "./retry_policy.ts";
import { RemoteError } from "./net/remote.ts";
import { type OpenRemoteOf, remoteFor } from "./net/remote_for.ts";
import { whatChanged } from "./snapshots/snapshot_check.ts";
import { type RemoteSource, type Source, withoutSecrets } from "./source.ts";
import type { ObtainProgress } from "./progress.ts";

/** Options for obtaining a model. */
export interface ObtainOptions {
  /** Places to search. */
  readonly places: Places;
  /** Called often with the progress. */
  readonly onProgress: (progress: ObtainProgress) => void;
  /**
   * Called with notices about a download, such as files that cannot be checked.
   */
  readonly onNotice?: (notice: string) => void;
  /** Cancels; bytes that arrived are kept for the next attempt. */
  readonly signal: AbortSignal;
  /** Changes to the default degree of concurrency. */
  readonly transferOptions?: Partial<DownloadEffort>;
  /** Opens remotes, in place of the default. */
  readonly openRemote?: OpenRemoteOf;
}

/** Connections that saturate a fast line; some places throttle single ones. */
const CONNECTIONS = 16;

const MAX_WORKERS = 4;

/** Bytes from which threads pay off: fewer arrive before a thread starts. */
const WORKERS_FROM = 64 * 2 ** 20;

/**
 * Returns the folder of `source`, a list of mirrors with commas or spaces.
 *
 * @throws {SourceError} When no source has it, with the reply of each.
 * @throws {DiskError} When it cannot be stored: another place would not help.
 */
export async function obtain(
  source: string,
  options: ObtainOptions,
): Promise<string> {
  if (await isModel(source)) return resolve(source);
  const sources = sourcesOf(source);
  const { found, searched } = await searchEverywhere(sources, options);
  if (found !== undefined) return found;
  const remotes = sources.filter((one) => one.type !== "folder");
  const { downloads } = options.places;
  if (remotes.length === 0 || downloads === undefined) {
    throw new SourceError(source, searched);
  }
  const how = downloadOptions(remotes[0]!, downloads, options);
  const answers: string[] = [];
  using _lock = await lockRepository(how);
  // The previous holder of the lock may have downloaded it.
  const again = await searchEverywhere(sources, options);
  if (again.found !== undefined) return again.found;
  for (const remote of remotes) {
    try {
      return await download(remote, how);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      answers.push(error.message);
    }
  }
  throw new SourceError(source, searched, answers);
}

/** Returns the model on this machine, if it is intact. */
async function searchEverywhere(
  sources: readonly Source[],
  { places, onProgress, signal }: ObtainOptions,
): Promise<{ found: string | undefined; searched: readonly string[] }> {
  const searched: string[] = [];
  for (const source of sources) {
    // Each cache on its own, so that a corrupt one hides no good one.
    const searches = [
      { ...places, hubCaches: [] },
      ...places.hubCaches.map((cache) => ({
        modelFolders: [],
        hubCaches: [cache],
      })),
    ];
    for (const [i, places] of searches.entries()) {
      if (i > 0 && source.type === "folder") break;
      const search = await searchLocal(source, places);
      searched.push(...search.searched);
      if (search.found === undefined) continue;
      const { folder, cached } = search.found;
      const changed = cached && await verify(folder);
      if (!changed) return { found: folder, searched };
      searched.push(`${folder} (${changed})`);
    }
  }
  return { found: undefined, searched: [...new Set(searched)] };

  async function verify(folder: string): Promise<string | undefined> {
    return await whatChanged(folder, {
      full: places.downloads?.verify ?? false,
      onBytes: (bytes, totalBytes) =>
        onProgress({ phase: "verify", bytes, totalBytes, place: folder }),
      signal,
    });
  }
}

/** Returns the default options with the given changes. */
function downloadOptions(
  first: RemoteSource,
  { cache, variables, verify }: NonNullable<Places["downloads"]>,
  {
    onProgress,
    onNotice = () => {},
    signal,
    transferOptions,
    openRemote = remoteFor,
  }: ObtainOptions,
): DownloadOptions {
  return {
    connections: CONNECTIONS,
    // A worker opens the default remotes only.
    workers: openRemote === remoteFor
      ? Math.min(MAX_WORKERS, Math.max(1, navigator.hardwareConcurrency - 1))
      : 0,
    workersFrom: WORKERS_FROM,
    partBytes: PART_BYTES,
    retryPolicy: DOWNLOAD_RETRIES,
    ...transferOptions,
    cache,
    repository: repositoryName(first),
    madeOf: first.type === "hub" ? undefined : withoutSecrets(first.url),
    revision: first.type === "hub" ? first.revision : "main",
    variables,
    verify,
    openRemote,
    onProgress,
    onNotice,
    signal,
  };
}
