/**
 * The inventory of Hugging Face caches.
 *
 * ```text
 * hub/models--org--name/refs/main             names a commit
 *                      /snapshots/<commit>/   links to blobs
 *                      /blobs/<hash>          content
 *                      /blobs/….incomplete    an unfinished download
 * ```
 *
 * @module
 */

import { join, relative } from "node:path";
import { CheckpointError } from "../../lib/errors.ts";
import { holdsNothing } from "../cache/snapshots/empty_repository.ts";
import { requiredFiles } from "../cache/snapshots/required_files.ts";
import { repositoryMadeOf } from "../cache/snapshots/hub_layout.ts";

/** A revision of a model. */
export interface CachedRevision {
  /** Commit of the revision. */
  readonly commit: string;
  /** Branches and tags that name it. */
  readonly refs: readonly string[];
  /** Path of the snapshot. */
  readonly folder: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Names of its blobs. */
  readonly blobs: readonly string[];
  /** True if no file is missing that its own files refer to. */
  readonly complete: boolean;
  /** Time of the last read or write of its files, from the file system. */
  readonly readMs: number;
}

/** A file that belongs to no revision. */
export interface LooseFile {
  /** Path of the file. */
  readonly path: string;
  /** Bytes on the disk. */
  readonly bytes: number;
  /** True if it belongs to an unfinished download. */
  readonly partial: boolean;
}

/** A model in a cache. */
export interface CachedModel {
  /** Name, such as `org/name`; for a store or a site, its URL. */
  readonly name: string;
  /** Path of the cache. */
  readonly cache: string;
  /** Path of the repository's folder. */
  readonly repository: string;
  /** Revisions of the model. */
  readonly revisions: readonly CachedRevision[];
  /** Files that belong to no revision. */
  readonly loose: readonly LooseFile[];
  /** True if its folder is empty. */
  readonly empty: boolean;
  /** Time of the last read or write of its files, from the file system. */
  readonly usedMs: number;
}

const REPOSITORY = /^models--(?<name>.+)$/;

/** Bytes of a reference to a commit; longer files are ignored. */
const MAX_REF_BYTES = 1024;

const UNFINISHED = /\.(incomplete|journal)$/;

/** Returns the models of all `caches`, by name. */
export async function cachedModels(
  caches: readonly string[],
): Promise<CachedModel[]> {
  const models: CachedModel[] = [];
  for (const cache of caches) {
    for (const entry of await entriesOf(cache)) {
      const name = REPOSITORY.exec(entry.name)?.groups?.["name"];
      if (name === undefined || !entry.isDirectory) continue;
      models.push(await readModel(cache, entry.name, name));
    }
  }
  return models.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function readModel(
  cache: string,
  folder: string,
  name: string,
): Promise<CachedModel> {
  const repository = join(cache, folder);
  const refs = await readRefs(join(repository, "refs"), "");
  const revisions: CachedRevision[] = [];
  for (
    const { name, isDirectory } of await entriesOf(
      join(repository, "snapshots"),
    )
  ) {
    if (!isDirectory) continue;
    const named = [...refs].flatMap(([ref, commit]) =>
      commit === name ? [ref] : []
    );
    revisions.push(await readRevision(repository, name, named));
  }
  const blobs = await readBlobs(join(repository, "blobs"));
  const held = new Set(revisions.flatMap(({ blobs }) => blobs));
  const used = [...blobs.values()].map(({ usedMs }) => usedMs);
  for (const { folder, readMs } of revisions) {
    used.push(readMs, usedMs(await Deno.stat(folder)));
  }
  return {
    name: await repositoryMadeOf(repository) ?? name.replaceAll("--", "/"),
    cache,
    repository,
    revisions,
    loose: [...blobs].filter(([blob]) => !held.has(blob))
      .map(([, { path, bytes, partial }]) => ({ path, bytes, partial })),
    empty: await holdsNothing(repository),
    usedMs: Math.max(0, ...used),
  };
}

async function readRevision(
  repository: string,
  commit: string,
  refs: readonly string[],
): Promise<CachedRevision> {
  const folder = join(repository, "snapshots", commit);
  const found = {
    bytes: 0,
    blobs: new Array<string>(),
    dangling: 0,
    readMs: 0,
  };
  await collect(folder, await realBlobs(repository), found);
  const complete = found.dangling === 0 && await hasWeights(folder);
  const { bytes, blobs, readMs } = found;
  return { commit, refs, folder, bytes, blobs, complete, readMs };
}

/** Returns true if all files of the model or adapter are there. */
async function hasWeights(folder: string): Promise<boolean> {
  try {
    for (const name of await requiredFiles(folder)) {
      if (!(await Deno.stat(join(folder, name))).isFile) return false;
    }
    return true;
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof CheckpointError;
    if (missing) return false;
    throw error;
  }
}

async function collect(
  folder: string,
  blobs: string,
  found: { bytes: number; blobs: string[]; dangling: number; readMs: number },
): Promise<void> {
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (isDirectory) {
      await collect(path, blobs, found);
      continue;
    }
    try {
      const real = await Deno.realPath(path);
      const info = await Deno.stat(real);
      found.bytes += info.size;
      found.readMs = Math.max(found.readMs, usedMs(info));
      const within = relative(blobs, real);
      if (!within.startsWith("..")) found.blobs.push(within);
    } catch (error) {
      if (!isNothing(error)) throw error;
      found.dangling++;
    }
  }
}

async function realBlobs(repository: string): Promise<string> {
  return join(await Deno.realPath(repository), "blobs");
}

async function readBlobs(folder: string) {
  const blobs = new Map<string, LooseFile & { readonly usedMs: number }>();
  for (const { name, isFile } of await entriesOf(folder)) {
    if (!isFile) continue;
    const path = join(folder, name);
    const info = await Deno.stat(path);
    // An unfinished file may have holes.
    const bytes = info.blocks === null ? info.size : 512 * info.blocks;
    const partial = UNFINISHED.test(name);
    blobs.set(name, { path, bytes, partial, usedMs: usedMs(info) });
  }
  return blobs;
}

/** Returns commits by branch or tag, whose names may have slashes. */
async function readRefs(
  folder: string,
  within: string,
): Promise<Map<string, string>> {
  const refs = new Map<string, string>();
  for (const { name, isDirectory, isFile } of await entriesOf(folder)) {
    const path = join(folder, name);
    const ref = `${within}${name}`;
    if (isDirectory) {
      for (const [name, commit] of await readRefs(path, `${ref}/`)) {
        refs.set(name, commit);
      }
      continue;
    }
    if (!isFile) continue;
    // Longer files are not references to commits.
    if ((await Deno.stat(path)).size > MAX_REF_BYTES) continue;
    refs.set(ref, (await Deno.readTextFile(path)).trim());
  }
  return refs;
}

/** Returns the entries of a folder by name; none if there is no such folder. */
async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (isNothing(error)) return [];
    throw error;
  }
}

/** Returns true if the path does not exist, or is neither folder nor file. */
function isNothing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
}

function usedMs({ atime, mtime }: Deno.FileInfo): number {
  return Math.max(atime?.getTime() ?? 0, mtime?.getTime() ?? 0);
}
