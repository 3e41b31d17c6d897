/**
 * A model's folder, wherever the model is.
 *
 * ```text
 * folder ─▶ mounts ─▶ Hugging Face caches ─▶ each source on the network
 * └────────── locate.ts ───────────────┘      │
 *   snapshots/snapshot_check.ts               ▼
 *                                   lock, list, room       download.ts
 *                                   a file, in parts       download_file.ts
 *                                   a part, patiently      fetch_part.ts
 *                                   bytes of a range       hub/, stores/
 *                                   folder by one rename   snapshots/reveal.ts
 * ```
 *
 * What is found on this machine is never asked for elsewhere, so a warm start
 * needs no network. A folder is given only once all of it is there.
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
  lookFor,
  type Places,
  SourceError,
  sourcesOf,
} from "./locate.ts";
import { PATIENT } from "./retry_policy.ts";
import { RemoteError } from "./net/remote.ts";
import { type OpenRemoteOf, remoteFor } from "./net/remote_for.ts";
import { whatChanged } from "./snapshots/snapshot_check.ts";
import { type RemoteSource, type Source, withoutSecrets } from "./source.ts";

/** How far it is. */
export interface ObtainProgress {
  /** What is done: waiting is for another process that downloads the same. */
  readonly phase: "resolve" | "wait" | "download" | "verify";
  /** Bytes that are here, those of an earlier attempt included. */
  readonly bytes: number;
  /** Bytes in all; undefined while that is not known. */
  readonly totalBytes: number | undefined;
  /** Where they come from, for people. */
  readonly place: string;
}

/** How to get it. */
export interface ObtainOptions {
  /** Where it may be. */
  readonly places: Places;
  /** Hears how far it is, often. */
  readonly onProgress: (progress: ObtainProgress) => void;
  /** Hears what is to be known of a download, such as what cannot be checked. */
  readonly onNotice?: (notice: string) => void;
  /** Gives it up; what has come is kept for the next attempt. */
  readonly signal: AbortSignal;
  /** How much is done at once, where that is not as usual. */
  readonly effort?: Partial<DownloadEffort>;
  /** Opens remotes, where those are not the usual ones. */
  readonly openRemote?: OpenRemoteOf;
}

/** Enough to fill a fast line; some places slow single connections down. */
const CONNECTIONS = 16;

const MAX_WORKERS = 4;

/** Fewer bytes come sooner than a thread starts. */
const WORKERS_FROM = 64 * 2 ** 20;

/**
 * The folder of `source`, which may list mirrors with commas or spaces.
 *
 * @throws {SourceError} When no place has it, saying what each answered.
 * @throws {DiskError} When it cannot be kept: no other place makes room here.
 */
export async function obtain(
  source: string,
  options: ObtainOptions,
): Promise<string> {
  if (await isModel(source)) return resolve(source);
  const sources = sourcesOf(source);
  const { found, looked } = await lookEverywhere(sources, options);
  if (found !== undefined) return found;
  const remotes = sources.filter((one) => one.type !== "folder");
  const { downloads } = options.places;
  if (remotes.length === 0 || downloads === undefined) {
    throw new SourceError(source, looked);
  }
  const how = downloadOptions(remotes[0]!, downloads, options);
  const answers: string[] = [];
  using _lock = await lockRepository(how);
  // Whoever held the lock may have brought it.
  const again = await lookEverywhere(sources, options);
  if (again.found !== undefined) return again.found;
  for (const remote of remotes) {
    try {
      return await download(remote, how);
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      answers.push(error.message);
    }
  }
  throw new SourceError(source, looked, answers);
}

/** What is on this machine, and is what it should be. */
async function lookEverywhere(
  sources: readonly Source[],
  { places, onProgress, signal }: ObtainOptions,
): Promise<{ found: string | undefined; looked: readonly string[] }> {
  const looked: string[] = [];
  for (const source of sources) {
    // Each cache by itself, so that a spoilt one hides no good one.
    const searches = [
      { ...places, hubCaches: [] },
      ...places.hubCaches.map((cache) => ({
        modelFolders: [],
        hubCaches: [cache],
      })),
    ];
    for (const [i, places] of searches.entries()) {
      if (i > 0 && source.type === "folder") break;
      const search = await lookFor(source, places);
      looked.push(...search.looked);
      if (search.found === undefined) continue;
      const { folder, cached } = search.found;
      const changed = cached && await verify(folder);
      if (!changed) return { found: folder, looked };
      looked.push(`${folder} (${changed})`);
    }
  }
  return { found: undefined, looked: [...new Set(looked)] };

  async function verify(folder: string): Promise<string | undefined> {
    return await whatChanged(folder, {
      full: places.downloads?.verify ?? false,
      onBytes: (bytes, totalBytes) =>
        onProgress({ phase: "verify", bytes, totalBytes, place: folder }),
      signal,
    });
  }
}

/** The usual effort, but for what is said otherwise. */
function downloadOptions(
  first: RemoteSource,
  { cache, variables, verify }: NonNullable<Places["downloads"]>,
  {
    onProgress,
    onNotice = () => {},
    signal,
    effort,
    openRemote = remoteFor,
  }: ObtainOptions,
): DownloadOptions {
  return {
    connections: CONNECTIONS,
    // A worker makes the usual remotes, no others.
    workers: openRemote === remoteFor
      ? Math.min(MAX_WORKERS, Math.max(1, navigator.hardwareConcurrency - 1))
      : 0,
    workersFrom: WORKERS_FROM,
    partBytes: PART_BYTES,
    patience: PATIENT,
    ...effort,
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
