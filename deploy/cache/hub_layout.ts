/**
 * A model in a Hugging Face cache, as their tools read it.
 *
 * ```text
 * models--org--name/blobs/<hash>                 contents
 *                  /snapshots/<commit>/<path>    links to them
 *                  /refs/<revision>              the commit, written last
 *                  /.emu3/<commit>.json          what was downloaded, when
 * .locks/models--org--name/emu3.lock             who downloads
 * ```
 *
 * A snapshot is made aside and put into its place as a whole: whoever finds it
 * finds all of it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { onDisk, syncFolder, writeWhole } from "./disk.ts";
import type { RemoteFile, RemoteSnapshot } from "./remote.ts";
import { type RemoteSource, withoutSecrets } from "./source.ts";

const COPIED_BYTES = 2 ** 24;

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

/** The file whose lock is held by whoever downloads a repository. */
export function lockPath(cache: string, repository: string): string {
  return join(cache, ".locks", repository, "emu3.lock");
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
    // Only this file writes it, whole.
    return JSON.parse(await Deno.readTextFile(markerPath(repository, commit)));
  } catch {
    // Put there by other tools.
    return undefined;
  }
}

/** Notes the files of a snapshot as they are now. */
export async function keepFiles(
  repository: string,
  { commit, files }: RemoteSnapshot,
): Promise<void> {
  const kept: KeptFile[] = [];
  for (const { path, size, sha256, gitHash, ...file } of files) {
    const blob = blobName({ sha256, ...file });
    const { mtime } = await Deno.stat(join(repository, "blobs", blob));
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

/**
 * Makes a snapshot whose blobs are all there visible.
 *
 * @returns Its folder.
 */
export async function publish(
  repository: string,
  snapshot: RemoteSnapshot,
  revision: string,
): Promise<string> {
  const folder = join(repository, "snapshots", snapshot.commit);
  // What a snapshot links to must outlive a loss of power as it does.
  await syncFolder(join(repository, "blobs"));
  if (await exists(folder)) await complete(repository, folder, snapshot);
  else await putWhole(repository, folder, snapshot);
  const reference = join(repository, "refs", revision);
  await onDisk(
    reference,
    () => Deno.mkdir(dirname(reference), { recursive: true }),
  );
  // Without a line's end, as Hugging Face's tools compare it.
  await writeWhole(reference, snapshot.commit);
  return folder;
}

/** Links all files aside, at the same depth, and moves the folder. */
async function putWhole(
  repository: string,
  folder: string,
  { commit, files }: RemoteSnapshot,
): Promise<void> {
  const aside = join(repository, ".emu3", `${commit}.incomplete`);
  await onDisk(aside, async () => {
    await Deno.remove(aside, { recursive: true }).catch(() => {});
    for (const file of files) await link(repository, aside, file);
    await Deno.mkdir(dirname(folder), { recursive: true });
    await Deno.rename(aside, folder);
  });
  await syncFolder(dirname(folder));
}

/** Links what another tool has left out; what makes it a model comes last. */
async function complete(
  repository: string,
  folder: string,
  { files }: RemoteSnapshot,
): Promise<void> {
  const last = ({ path }: RemoteFile) => path === "config.json" ? 1 : 0;
  await onDisk(folder, async () => {
    for (const file of files.toSorted((a, b) => last(a) - last(b))) {
      const blob = join(repository, "blobs", blobName(file));
      const place = join(folder, file.path);
      const now = await Deno.realPath(place).catch(() => undefined);
      if (now !== await Deno.realPath(blob)) {
        await link(repository, folder, file);
      }
    }
  });
}

/** Puts a file into a snapshot; readers see the old one or the new one. */
async function link(
  repository: string,
  folder: string,
  file: RemoteFile,
): Promise<void> {
  const place = join(folder, file.path);
  const blob = join(repository, "blobs", blobName(file));
  await Deno.mkdir(dirname(place), { recursive: true });
  const next = `${place}.incomplete`;
  await Deno.remove(next).catch(() => {});
  try {
    await Deno.symlink(relative(dirname(place), blob), next);
  } catch {
    // No links on this disk: as Hugging Face's tools do, it moves there; what
    // is small may stand there under two names.
    if (file.size < COPIED_BYTES) await Deno.copyFile(blob, place);
    else await Deno.rename(blob, place);
    return;
  }
  await Deno.rename(next, place);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    // Not there, or a link to what is not.
    return false;
  }
}

function markerPath(repository: string, commit: string): string {
  return join(repository, ".emu3", `${commit}.json`);
}
