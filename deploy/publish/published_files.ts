/**
 * The files of a folder that make a checkpoint: all except hidden ones, and
 * notes about the folder itself.
 *
 * @module
 */

import { join } from "node:path";
import { CheckpointError } from "../../lib/errors.ts";
import { placeholderAt } from "../../lib/loading/placeholder.ts";
import { INDEX_FILE, weightFileNames } from "../../lib/loading/weight_files.ts";
import { MANIFEST_FILE } from "../cache/manifest/manifest.ts";
import { isSafePath } from "../cache/manifest/safe_path.ts";

/** A file to publish. */
export interface PublishedFile {
  /** Path within the checkpoint, with `/`. */
  readonly path: string;
  /** Path on this machine. */
  readonly from: string;
  /** Size in bytes. */
  readonly size: number;
}

/**
 * Maximum depth of folders: deeper than any checkpoint, and a bound for cyclic
 * links.
 */
const MAX_DEPTH = 8;

/**
 * Returns the files of `folder`, in the order of their paths; links are
 * followed, as in snapshots.
 *
 * @throws {PublishError} When it is not a checkpoint, lacks weights of its
 * index, has a name that is not portable, or a Git LFS pointer in place of a
 * file.
 */
export async function publishedFiles(folder: string): Promise<PublishedFile[]> {
  const files: PublishedFile[] = [];
  await collect(folder, "", files, 0);
  if (!files.some(({ path }) => path === "config.json")) {
    throw new PublishError(
      folder,
      "it has no config.json; choose the folder of a checkpoint",
    );
  }
  await refuseLackingWeights(folder, files);
  // Order by code units, as in a manifest.
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/**
 * Rejects a checkpoint whose index names missing files, or that lacks an index.
 */
async function refuseLackingWeights(
  folder: string,
  files: readonly PublishedFile[],
): Promise<void> {
  const paths = new Set(files.map(({ path }) => path));
  let names: readonly string[];
  try {
    names = await weightFileNames(folder);
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    throw new PublishError(folder, cause.message, { cause });
  }
  const lost = names.find((name) => !paths.has(name));
  if (lost === undefined || !paths.has(INDEX_FILE)) return;
  throw new PublishError(
    join(folder, lost),
    `it is listed in ${INDEX_FILE} but missing: copy it from the source of the model`,
  );
}

async function collect(
  folder: string,
  within: string,
  files: PublishedFile[],
  depth: number,
): Promise<void> {
  if (depth > MAX_DEPTH) {
    throw new PublishError(
      folder,
      `its folders are more than ${MAX_DEPTH} levels deep`,
    );
  }
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${within}${name}`;
    if (name.startsWith(".") || path === MANIFEST_FILE) continue;
    const from = join(folder, name);
    const { isDirectory, isFile, size } = await statOf(from);
    if (isDirectory) await collect(from, `${path}/`, files, depth + 1);
    if (!isFile) continue;
    if (!isSafePath(path)) {
      throw new PublishError(
        from,
        "its name is not valid on every system; rename it",
      );
    }
    const placeholder = await placeholderAt(from);
    if (placeholder !== undefined) throw new PublishError(from, placeholder);
    files.push({ path, from, size });
  }
}

async function statOf(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    throw new PublishError(path, "it is a broken link, or not readable", {
      cause,
    });
  }
}

/** The error thrown for a failed publication, with advice. */
export class PublishError extends Error {
  /** Creates an error about the folder or place `what`. */
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`Cannot publish ${what}: ${reason}`, options);
    this.name = "PublishError";
  }
}
