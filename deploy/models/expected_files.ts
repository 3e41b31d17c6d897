/**
 * What the files of a model must hash to, by what lies beside them.
 *
 * ```text
 * manifest.json        size and SHA-256 of each file
 * blobs/<64 digits>    SHA-256, as hubs name large files
 * blobs/<40 digits>    what Git calls a small file
 * .emu3/<commit>.json  both, of files that are no links, as they came
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

/** A file and what it must be. */
export interface ExpectedFile {
  /** Within the model. */
  readonly path: string;
  /** Where it is. */
  readonly from: string;
  /** Bytes that it must have; undefined where nobody says. */
  readonly size: number | undefined;
  /** Which hash it must have; undefined where nobody says. */
  readonly hash: ExpectedHash | undefined;
}

/**
 * The files of the model in `folder`.
 *
 * @throws {ManifestError} When its manifest is no manifest.
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

/** Reads what was noted of a snapshot in a cache when it was downloaded here. */
async function notedFiles(folder: string): Promise<readonly KeptFile[]> {
  const snapshots = dirname(resolve(folder));
  if (basename(snapshots) !== "snapshots") return [];
  return await keptFiles(dirname(snapshots), basename(folder)) ?? [];
}

/** Gives files that are no links the hashes that were noted, and adds lost ones. */
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

/** What is wrong with a file; undefined when nothing is. */
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
      throw new ManifestError(`it has ${size} bytes, over ${MANIFEST_BYTES}`);
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

/** The hash that the name of a blob is. */
async function blobHash(path: string): Promise<ExpectedFile["hash"]> {
  let blob: string;
  try {
    blob = await Deno.readLink(path);
  } catch {
    // A file of its own, which nobody has named by its content.
    return undefined;
  }
  if (basename(dirname(blob)) !== "blobs") return undefined;
  const hex = basename(blob);
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: "sha256", hex };
  if (/^[0-9a-f]{40}$/.test(hex)) return { kind: "git", hex };
  return undefined;
}
