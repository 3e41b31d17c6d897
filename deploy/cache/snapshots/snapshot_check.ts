/**
 * The check that a cached snapshot is complete and unchanged.
 *
 * ```text
 * complete       the files of required_files.ts, recorded sizes
 * unchanged      recorded size and time; else, and with VERIFY=full, the hash
 * ```
 *
 * Hashes are those recorded at the download, or the names of the blobs, which
 * other tools use as well.
 *
 * @module
 */

import { basename, dirname, join, relative } from "node:path";
import { CheckpointError } from "../../../lib/errors.ts";
import { placeholderAt } from "../../../lib/loading/placeholder.ts";
import { isWithin } from "../../../lib/loading/plain_file.ts";
import { type ExpectedHash, expectedHash } from "../hashing/content_hash.ts";
import { hashFiles } from "../hashing/hash_files.ts";
import { quoteText } from "../../../lib/escaped_text.ts";
import { type KeptFile, keptFiles, rememberFiles } from "./hub_layout.ts";
import { decisiveFile, namesIn, requiredFiles } from "./required_files.ts";

/**
 * Returns a description of what a snapshot lacks to be a model or an adapter;
 * undefined if it is complete.
 */
export async function whatLacks(folder: string): Promise<string | undefined> {
  try {
    // The configuration first: without it weights cannot be named.
    const names = await namesIn(folder);
    if (decisiveFile(names) === undefined) return "lacks config.json";
    for (const name of await requiredFiles(folder)) {
      const path = join(folder, name);
      if (!await isFile(path)) return `lacks ${name}`;
      const placeholder = await placeholderAt(path);
      if (placeholder !== undefined) return `has no ${name}: ${placeholder}`;
    }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return `has no weights that can be opened (${error.message})`;
  }
  const [repository, commit] = partsOfPath(folder);
  const stray = await strayLink(repository, folder);
  if (stray !== undefined) {
    return `has ${quoteText(stray)}, a link to a target outside its blobs`;
  }
  for (const { path, size } of await keptFiles(repository, commit) ?? []) {
    const there = await sizeOf(join(folder, path));
    if (there === undefined) return `lacks ${path}`;
    if (there !== size) return `has ${there} of ${size} bytes of ${path}`;
  }
  return undefined;
}

/**
 * Returns a link of a snapshot that leads elsewhere than to a blob of its
 * repository.
 */
async function strayLink(
  repository: string,
  folder: string,
  under = "",
): Promise<string | undefined> {
  const blobs = await realPathOf(join(repository, "blobs"));
  for await (const entry of Deno.readDir(join(folder, under))) {
    const path = join(under, entry.name);
    if (entry.isSymlink) {
      const real = await realPathOf(join(folder, path));
      // A dangling link counts as a missing file.
      const within = real === undefined ||
        blobs !== undefined && isWithin(blobs, real);
      if (!within) return path;
    } else if (entry.isDirectory) {
      const inner = await strayLink(repository, folder, path);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch {
    // The file does not exist.
    return undefined;
  }
}

/** Options for verifying a snapshot. */
export interface VerifyOptions {
  /** True to hash all files, even those with unchanged times. */
  readonly full: boolean;
  /** Called with the bytes hashed and the bytes in all. */
  readonly onBytes: (bytes: number, totalBytes: number) => void;
  /** Cancels the verification. */
  readonly signal: AbortSignal;
}

/** A file whose hash must be compared. */
interface Suspect {
  readonly path: string;
  readonly size: number;
  readonly expected: ExpectedHash;
}

/**
 * Returns a description of a change in a complete snapshot; undefined if there
 * is none.
 */
export async function whatChanged(
  folder: string,
  { full, onBytes, signal }: VerifyOptions,
): Promise<string | undefined> {
  const [repository, commit] = partsOfPath(folder);
  const kept = await keptFiles(repository, commit);
  const suspects = kept === undefined
    ? full ? await linkedBlobs(folder) : []
    : await suspectsOf(folder, kept, full);
  const total = suspects.reduce((sum, { size }) => sum + size, 0);
  let read = 0;
  const outcomes = await hashFiles(
    suspects.map(({ path, expected: { kind } }) => ({
      path: join(folder, path),
      kind,
    })),
    {
      threads: navigator.hardwareConcurrency,
      onBytes: (bytes) => onBytes(read += bytes, total),
      signal,
    },
  );
  for (const [i, { path, expected: { hex } }] of suspects.entries()) {
    const outcome = outcomes[i]!;
    if (outcome.type === "failure") {
      return `has ${path}, which cannot be read: ${outcome.reason}`;
    }
    if (outcome.hashes.hex !== hex) {
      return `has ${path}, whose content does not match its hash`;
    }
  }
  if (kept !== undefined && suspects.length > 0) {
    await rememberTimes(folder, kept);
  }
  return undefined;
}

/** Returns the files whose time differs from the record, or all. */
async function suspectsOf(
  folder: string,
  kept: readonly KeptFile[],
  full: boolean,
): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  for (const file of kept) {
    const expected = expectedHash(file);
    if (expected === undefined) continue;
    const { mtime } = await Deno.stat(join(folder, file.path));
    if (full || mtime?.getTime() !== file.mtimeMs) {
      suspects.push({ ...file, expected });
    }
  }
  return suspects;
}

/**
 * Returns the files that link to blobs named by their hash, as in hub caches.
 */
async function linkedBlobs(folder: string, under = ""): Promise<Suspect[]> {
  const found: Suspect[] = [];
  for await (const entry of Deno.readDir(join(folder, under))) {
    const path = join(under, entry.name);
    if (entry.isDirectory) found.push(...await linkedBlobs(folder, path));
    if (!entry.isSymlink) continue;
    const hex = basename(await Deno.readLink(join(folder, path)));
    const kind = /^[0-9a-f]{64}$/.test(hex)
      ? "sha256"
      : /^[0-9a-f]{40}$/.test(hex)
      ? "git"
      : undefined;
    const size = await sizeOf(join(folder, path));
    if (kind === undefined || size === undefined) continue;
    found.push({ path, size, expected: { kind, hex } });
  }
  return found;
}

/** Records the times of hashed files, so that the next start trusts them. */
async function rememberTimes(
  folder: string,
  kept: readonly KeptFile[],
): Promise<void> {
  const [repository, commit] = partsOfPath(folder);
  const now = await Promise.all(kept.map(async (file) => {
    const { mtime } = await Deno.stat(join(folder, file.path));
    return { ...file, mtimeMs: mtime?.getTime() ?? 0 };
  }));
  try {
    await rememberFiles(repository, commit, now);
  } catch {
    // Read-only cache: the next start hashes again.
  }
}

/** Returns the repository's folder and the commit of `…/snapshots/<commit>`. */
function partsOfPath(folder: string): readonly [string, string] {
  const repository = dirname(dirname(folder));
  return [repository, relative(join(repository, "snapshots"), folder)];
}

async function isFile(path: string): Promise<boolean> {
  return await sizeOf(path) !== undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : undefined;
  } catch {
    // Missing file, or a dangling link.
    return undefined;
  }
}
