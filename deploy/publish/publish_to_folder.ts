/**
 * The publication of a checkpoint into a folder, such as a mount.
 *
 * ```text
 * {target}.partial/   copied files; intact ones are reused
 * {target}/           the same folder, renamed at the end
 * ```
 *
 * Publishing a folder into itself only adds the manifest.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import {
  MANIFEST_FILE,
  type ManifestFile,
  manifestText,
  parseManifest,
} from "../cache/manifest/manifest.ts";
import { ManifestError } from "../cache/manifest/manifest_fields.ts";
import { hashFile } from "../cache/hashing/hash_file.ts";
import { openPlainFile, refuseLinkOut } from "../../lib/loading/plain_file.ts";
import { onDisk, writeWhole } from "../cache/base/disk.ts";
import { readPart } from "./part_reader.ts";
import { PublishError } from "./published_files.ts";
import type {
  Publication,
  Published,
  PublishOptions,
} from "./publish_options.ts";

/** Advice for a disk error. */
const REMEDY = "choose another folder";

const LOCK_FILE = ".publish.lock";

/**
 * Publishes to the folder `target`.
 *
 * @param from Folder of the files.
 * @throws {PublishError} When other content is there, or a file changes.
 * @throws {DiskError} When the disk does not store it.
 */
export async function publishToFolder(
  publication: Publication,
  from: string,
  target: string,
  options: PublishOptions,
): Promise<Published> {
  const { manifest, files } = publication;
  const count = files.length;
  const there = await revisionIn(target);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (await isSame(from, target)) {
    await writeWhole(
      join(target, MANIFEST_FILE),
      manifestText(manifest),
      REMEDY,
    );
    options.onBytes(bytes);
    return { sent: 0, kept: count };
  }
  if (there === manifest.revision) {
    options.onBytes(bytes);
    return { sent: 0, kept: count };
  }
  if (there !== undefined && !options.replace) {
    throw new PublishError(
      target,
      "it has other content; choose another folder or add --replace",
    );
  }
  const partial = `${resolve(target)}.partial`;
  await onDisk(
    partial,
    async () => {
      await refuseLinkOut(dirname(partial), partial);
      await Deno.mkdir(partial, { recursive: true });
    },
    REMEDY,
  );
  const lockPath = join(partial, LOCK_FILE);
  using lock = await onDisk(lockPath, () => openPlainFile(lockPath), REMEDY);
  if (!await lock.tryLock(true)) {
    throw new PublishError(
      target,
      "another process is publishing there; wait for it to end",
    );
  }
  const paths = new Map(files.map(({ path, from }) => [path, from]));
  let sent = 0;
  for (const file of manifest.files) {
    const source = paths.get(file.path) ?? "";
    const to = join(partial, file.path);
    await onDisk(to, () => refuseLinkOut(partial, dirname(to)), REMEDY);
    if (await copy(source, to, file, options)) sent++;
  }
  await clearOthers(partial, "", new Set(paths.keys()));
  await writeWhole(
    join(partial, MANIFEST_FILE),
    manifestText(manifest),
    REMEDY,
  );
  await swap(partial, resolve(target), there !== undefined);
  return { sent, kept: count - sent };
}

/** Copies a file unless it is there; returns true if it was copied. */
async function copy(
  from: string,
  to: string,
  file: ManifestFile,
  { onBytes, signal }: PublishOptions,
): Promise<boolean> {
  if (await holds(to, file)) {
    onBytes(file.size);
    return false;
  }
  await Deno.mkdir(dirname(to), { recursive: true });
  using opened = await onDisk(to, () => openPlainFile(to), REMEDY);
  await opened.truncate(0);
  for (const index of file.partSha256.keys()) {
    signal.throwIfAborted();
    const bytes = await readPart(from, file, index);
    await onDisk(to, async () => {
      for (let at = 0; at < bytes.length;) {
        at += await opened.write(bytes.subarray(at));
      }
    }, REMEDY);
    onBytes(bytes.length);
  }
  await opened.sync();
  return true;
}

async function holds(path: string, file: ManifestFile): Promise<boolean> {
  try {
    const { isFile, size } = await Deno.lstat(path);
    if (!isFile || size !== file.size) return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  return (await hashFile({ path, kind: "sha256" })).hex === file.sha256;
}

/** Removes the leftovers of an attempt with other content. */
async function clearOthers(
  folder: string,
  within: string,
  paths: ReadonlySet<string>,
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${within}${name}`;
    const full = join(folder, name);
    if (isDirectory) await clearOthers(full, `${path}/`, paths);
    else if (!paths.has(path) && path !== LOCK_FILE) await Deno.remove(full);
  }
}

/**
 * Renames the folder to its target; the old one is removed after the last step
 * that can fail.
 */
async function swap(
  partial: string,
  target: string,
  replaces: boolean,
): Promise<void> {
  const old = `${target}.replaced`;
  if (replaces) await Deno.rename(target, old);
  await Deno.rename(partial, target);
  await Deno.remove(join(target, LOCK_FILE));
  if (replaces) await Deno.remove(old, { recursive: true });
}

/**
 * Returns the revision in a folder; empty for other content, undefined if there
 * is no folder.
 */
async function revisionIn(folder: string): Promise<string | undefined> {
  try {
    const names = [...await Array.fromAsync(Deno.readDir(folder))];
    if (names.length === 0) return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const written = await Deno.readTextFile(join(folder, MANIFEST_FILE));
    return parseManifest(written).revision;
  } catch (error) {
    const other = error instanceof Deno.errors.NotFound ||
      error instanceof ManifestError;
    if (other) return "";
    throw error;
  }
}

async function isSame(a: string, b: string): Promise<boolean> {
  try {
    return await Deno.realPath(a) === await Deno.realPath(b);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
