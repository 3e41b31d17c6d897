/**
 * The layout of a model in a Hugging Face cache, as other tools read it.
 *
 * ```text
 * models--org--name/blobs/<hash>                 contents
 *                  /snapshots/<commit>/<path>    links to them
 *                  /refs/<revision>              the commit, written last
 *                  /.emu3/<commit>.json          record of the download
 *                  /.emu3/source                 URL of a store's or a site's model
 * .locks/models--org--name/emu3.lock             lock of downloads
 *                         /emu3.in-use.lock      lock shared by users
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { refuseLinkOut } from "../../../lib/loading/plain_file.ts";
import { onDisk, writeWhole } from "../base/disk.ts";
import { isSafePath } from "../manifest/safe_path.ts";
import type { RemoteFile, RemoteSnapshot } from "../net/remote.ts";
import { type RemoteSource, withoutSecrets } from "../source.ts";

/** Bytes of a recorded source; longer files are ignored. */
const MAX_SOURCE_BYTES = 4096;
const MAX_MARKER_BYTES = 2 ** 24;

/** Returns the name of a blob: the hash of its content, if known. */
export function blobName(
  { sha256, etag }: Pick<RemoteFile, "sha256" | "etag">,
): string {
  const name = sha256 ?? etag;
  return /^\w[\w.-]{0,127}$/.test(name)
    ? name
    : createHash("sha256").update(name).digest("hex");
}

/** Returns the name of a source's folder. */
export function repositoryName(source: RemoteSource): string {
  if (source.type === "hub") return `models--${source.owner}--${source.name}`;
  const hash = createHash("sha256").update(withoutSecrets(source.url));
  // "--" would separate an owner from a name.
  const name = source.name.replaceAll(/-{2,}/g, "-");
  return `models--${source.type}-${hash.digest("hex").slice(0, 12)}--${name}`;
}

/**
 * Rejects a repository whose folders lead out of the cache: writing or removing
 * there would touch foreign files. The cache itself may be a link.
 *
 * @param repository Name of the repository in `cache`.
 * @throws {PlainFileError} Naming the link.
 */
export async function refuseStray(
  cache: string,
  repository: string,
): Promise<void> {
  await refuseLinkOut(cache, join(cache, ".locks", repository));
  for (const name of ["blobs", "refs", "snapshots", ".emu3"]) {
    await refuseLinkOut(cache, join(cache, repository, name));
  }
}

/** Returns the path of the lock that a download holds on a repository. */
export function lockPath(cache: string, repository: string): string {
  return join(cache, ".locks", repository, "emu3.lock");
}

/** Returns the path of the lock that users of a repository share. */
export function inUsePath(cache: string, repository: string): string {
  return join(cache, ".locks", repository, "emu3.in-use.lock");
}

/** Records the source of a repository whose folder name does not show it. */
export async function nameRepository(
  repository: string,
  madeOf: string,
): Promise<void> {
  if (await repositoryMadeOf(repository) === madeOf) return;
  const path = join(repository, ".emu3", "source");
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeWhole(path, madeOf);
}

/** Returns the recorded source of a repository, if any. */
export async function repositoryMadeOf(
  repository: string,
): Promise<string | undefined> {
  try {
    const path = join(repository, ".emu3", "source");
    if ((await Deno.stat(path)).size > MAX_SOURCE_BYTES) return undefined;
    const text = (await Deno.readTextFile(path)).trim();
    // The text is displayed, and may come from another program.
    return /\p{Cc}/u.test(text) ? undefined : text || undefined;
  } catch {
    // A repository of a hub, or of another tool.
    return undefined;
  }
}

/** A file in the state in which it was downloaded. */
export interface KeptFile {
  /** Path within the snapshot. */
  readonly path: string;
  /** Name of the blob with its content. */
  readonly blob: string;
  /** Size in bytes. */
  readonly size: number;
  /** Time of the last change to its content, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** SHA-256 of the content, if its place provided it. */
  readonly sha256?: string;
  /** Git's hash of the content, if its place provided it. */
  readonly gitHash?: string;
}

/**
 * Returns the files of a snapshot that was downloaded here; undefined for
 * others.
 */
export async function keptFiles(
  repository: string,
  commit: string,
): Promise<readonly KeptFile[] | undefined> {
  try {
    const path = markerPath(repository, commit);
    if ((await Deno.stat(path)).size > MAX_MARKER_BYTES) return undefined;
    const kept: unknown = JSON.parse(await Deno.readTextFile(path));
    return Array.isArray(kept) && kept.every(isKept) ? kept : undefined;
  } catch {
    // A snapshot of another tool.
    return undefined;
  }
}

/**
 * Returns true if this module wrote the record; other programs may write to the
 * cache.
 */
function isKept(file: Partial<KeptFile> | null): boolean {
  const isHash = (hash: unknown) =>
    hash === undefined || typeof hash === "string";
  return typeof file?.path === "string" && isSafePath(file.path) &&
    typeof file.blob === "string" && isSafePath(file.blob) &&
    Number.isSafeInteger(file.size) && typeof file.mtimeMs === "number" &&
    isHash(file.sha256) && isHash(file.gitHash);
}

/**
 * Records the current state of a snapshot's files.
 *
 * @param folder Folder in which the files are visible.
 */
export async function keepFiles(
  repository: string,
  { commit, files }: RemoteSnapshot,
  folder: string,
): Promise<void> {
  const kept: KeptFile[] = [];
  for (const { path, size, sha256, gitHash, ...file } of files) {
    const blob = blobName({ sha256, ...file });
    const { mtime } = await Deno.stat(join(folder, path));
    kept.push({
      path,
      blob,
      size,
      mtimeMs: mtime?.getTime() ?? 0,
      ...sha256 === undefined ? {} : { sha256 },
      ...gitHash === undefined ? {} : { gitHash },
    });
  }
  await rememberFiles(repository, commit, kept);
}

/** Records the files of a snapshot. */
export async function rememberFiles(
  repository: string,
  commit: string,
  kept: readonly KeptFile[],
): Promise<void> {
  const path = markerPath(repository, commit);
  await onDisk(path, () => Deno.mkdir(dirname(path), { recursive: true }));
  await writeWhole(path, `${JSON.stringify(kept)}\n`);
}

/** Returns the path of a snapshot's record. */
export function markerPath(repository: string, commit: string): string {
  return join(repository, ".emu3", `${commit}.json`);
}
