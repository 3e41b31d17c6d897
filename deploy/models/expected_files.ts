/**
 * The expected hashes of a model's files, from the files beside them.
 *
 * ```text
 * manifest.json        size and SHA-256 of each file
 * blobs/<64 digits>    SHA-256, as hubs name large files
 * blobs/<40 digits>    Git's hash of a small file
 * .emu3/<commit>.json  both, for files that are not links, as downloaded
 * ```
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import {
  type ExpectedHash,
  expectedHash,
} from "../cache/hashing/content_hash.ts";
import type { FileHashes } from "../cache/hashing/hash_file.ts";
import {
  MANIFEST_BYTES,
  MANIFEST_FILE,
  parseManifest,
} from "../cache/manifest/manifest.ts";
import { ManifestError } from "../cache/manifest/manifest_fields.ts";
import { type KeptFile, keptFiles } from "../cache/snapshots/hub_layout.ts";

/** A file and its expected content. */
export interface ExpectedFile {
  /** Path within the model. */
  readonly path: string;
  /** Path on this machine. */
  readonly from: string;
  /** Expected bytes; undefined if unknown. */
  readonly size: number | undefined;
  /** Expected hash; undefined if unknown. */
  readonly hash: ExpectedHash | undefined;
}

/**
 * Returns the files of the model in `folder`.
 *
 * @throws {ManifestError} When its manifest is invalid.
 */
export async function expectedFiles(folder: string): Promise<ExpectedFile[]> {
  const written = await readManifest(folder);
  if (written !== undefined) {
    return parseManifest(written).files.map(({ path, size, sha256 }) => ({
      path,
      from: join(folder, path),
      size,
      hash: { kind: "sha256", hex: sha256 },
    }));
  }
  const files: ExpectedFile[] = [];
  await collect(folder, "", files);
  return withNoted(folder, files, await notedFiles(folder));
}

/** Returns the records of a cached snapshot that was downloaded here. */
async function notedFiles(folder: string): Promise<readonly KeptFile[]> {
  const snapshots = dirname(resolve(folder));
  if (basename(snapshots) !== "snapshots") return [];
  return await keptFiles(dirname(snapshots), basename(folder)) ?? [];
}

/**
 * Adds the recorded hashes to files that are not links, and adds lost files.
 */
function withNoted(
  folder: string,
  files: readonly ExpectedFile[],
  noted: readonly KeptFile[],
): ExpectedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  for (const { path, size, ...kept } of noted) {
    const found = byPath.get(path);
    byPath.set(path, {
      path,
      from: join(folder, path),
      size,
      hash: found?.hash ?? expectedHash(kept),
    });
  }
  return [...byPath.values()];
}

/** Returns the fault of a file; undefined when it is intact. */
export function faultOf(
  { size, hash }: ExpectedFile,
  hashes: FileHashes,
): string | undefined {
  if (size !== undefined && hashes.size !== size) {
    return `it has ${hashes.size} bytes instead of ${size}`;
  }
  if (hash !== undefined && hashes.hex !== hash.hex) {
    return `its hash is ${hashes.hex} instead of ${hash.hex}`;
  }
  return undefined;
}

async function readManifest(folder: string): Promise<string | undefined> {
  try {
    const path = join(folder, MANIFEST_FILE);
    const { size } = await Deno.stat(path);
    if (size > MANIFEST_BYTES) {
      throw new ManifestError(
        `it has ${size} bytes, more than ${MANIFEST_BYTES}`,
      );
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function collect(
  folder: string,
  within: string,
  files: ExpectedFile[],
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const from = join(folder, name);
    const path = `${within}${name}`;
    if (isDirectory) await collect(from, `${path}/`, files);
    else {files.push({
        path,
        from,
        size: undefined,
        hash: await blobHash(from),
      });}
  }
}

/** Returns the hash that a blob is named by. */
async function blobHash(path: string): Promise<ExpectedFile["hash"]> {
  let blob: string;
  try {
    blob = await Deno.readLink(path);
  } catch {
    // A plain file, not named by its content.
    return undefined;
  }
  if (basename(dirname(blob)) !== "blobs") return undefined;
  const hex = basename(blob);
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: "sha256", hex };
  if (/^[0-9a-f]{40}$/.test(hex)) return { kind: "git", hex };
  return undefined;
}
