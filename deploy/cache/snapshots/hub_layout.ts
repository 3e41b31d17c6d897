/**
 * A model in a Hugging Face cache, as their tools read it.
 *
 * ```text
 * models--org--name/blobs/<hash>                 contents
 *                  /snapshots/<commit>/<path>    links to them
 *                  /refs/<revision>              the commit, written last
 *                  /.emu3/<commit>.json          what was downloaded, when
 *                  /.emu3/source                 of a store's or a site's: its URL
 * .locks/models--org--name/emu3.lock             who downloads
 *                         /emu3.in-use.lock      who serves, all of them
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

/** Longer ones are none of ours. */
const MAX_SOURCE_BYTES = 4096;
const MAX_MARKER_BYTES = 2 ** 24;

/** What a blob is called: the hash of its content, if that is known. */
export function blobName(
  { sha256, etag }: Pick<RemoteFile, "sha256" | "etag">,
): string {
  const name = sha256 ?? etag;
  return /^\w[\w.-]{0,127}$/.test(name)
    ? name
    : createHash("sha256").update(name).digest("hex");
}

/** What the folder of a source is called. */
export function repositoryName(source: RemoteSource): string {
  if (source.type === "hub") return `models--${source.owner}--${source.name}`;
  const hash = createHash("sha256").update(withoutSecrets(source.url));
  // Not "--": that is what parts an owner from a name.
  const name = source.name.replaceAll(/-{2,}/g, "-");
  return `models--${source.type}-${hash.digest("hex").slice(0, 12)}--${name}`;
}

/**
 * Refuses a repository whose folders lead out of the cache: what is written or
 * removed there would be somebody else's. The cache itself may be a link.
 *
 * @param repository Its name in `cache`.
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

/** The file whose lock is held by whoever downloads a repository. */
export function lockPath(cache: string, repository: string): string {
  return join(cache, ".locks", repository, "emu3.lock");
}

/** The file whose lock is shared by whoever uses a repository. */
export function inUsePath(cache: string, repository: string): string {
  return join(cache, ".locks", repository, "emu3.in-use.lock");
}

/** Notes what a repository is of, whose folder does not say it to people. */
export async function nameRepository(
  repository: string,
  madeOf: string,
): Promise<void> {
  if (await repositoryMadeOf(repository) === madeOf) return;
  const path = join(repository, ".emu3", "source");
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeWhole(path, madeOf);
}

/** What a repository is of, if that was noted. */
export async function repositoryMadeOf(
  repository: string,
): Promise<string | undefined> {
  try {
    const path = join(repository, ".emu3", "source");
    if ((await Deno.stat(path)).size > MAX_SOURCE_BYTES) return undefined;
    const text = (await Deno.readTextFile(path)).trim();
    // It is shown to people, and was perhaps written by others.
    return /\p{Cc}/u.test(text) ? undefined : text || undefined;
  } catch {
    // A hub's, or another tool's.
    return undefined;
  }
}

/** A file as it was when it was downloaded. */
export interface KeptFile {
  /** Within the snapshot. */
  readonly path: string;
  /** What holds its content. */
  readonly blob: string;
  /** In bytes. */
  readonly size: number;
  /** When its content was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Of the content, if its place told it. */
  readonly sha256?: string;
  /** The same, as Git hashes. */
  readonly gitHash?: string;
}

/** The files of a snapshot that was downloaded here; undefined for others. */
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
    // Put there by other tools.
    return undefined;
  }
}

/** Returns whether this file wrote it: others may write into a cache, too. */
function isKept(file: Partial<KeptFile> | null): boolean {
  const isHash = (hash: unknown) =>
    hash === undefined || typeof hash === "string";
  return typeof file?.path === "string" && isSafePath(file.path) &&
    typeof file.blob === "string" && isSafePath(file.blob) &&
    Number.isSafeInteger(file.size) && typeof file.mtimeMs === "number" &&
    isHash(file.sha256) && isHash(file.gitHash);
}

/**
 * Notes the files of a snapshot as they are now.
 *
 * @param folder Where they are to be seen.
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

/** Notes the files of a snapshot. */
export async function rememberFiles(
  repository: string,
  commit: string,
  kept: readonly KeptFile[],
): Promise<void> {
  const path = markerPath(repository, commit);
  await onDisk(path, () => Deno.mkdir(dirname(path), { recursive: true }));
  await writeWhole(path, `${JSON.stringify(kept)}\n`);
}

/** Where the files of a snapshot are noted. */
export function markerPath(repository: string, commit: string): string {
  return join(repository, ".emu3", `${commit}.json`);
}
