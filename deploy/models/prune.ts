/**
 * The command `models prune`: removes unused models and files from caches.
 *
 * Models that a process has locked stay, and cannot be locked during their
 * removal. Names are removed before their targets, links before content: an
 * interrupted removal leaves fewer models, never an incomplete one.
 *
 * @module
 */

import { basename, join } from "node:path";
import type { PruneArguments } from "./arguments.ts";
import { freedBytes } from "./freed_bytes.ts";
import { cachedModels } from "./cached_models.ts";
import { planPrune, type PrunePlan } from "./prune_plan.ts";
import { onDisk } from "../cache/base/disk.ts";
import { formatBytes } from "../cache/progress.ts";
import { PlainFileError, refuseLinkOut } from "../../lib/loading/plain_file.ts";
import { tryLock } from "../cache/snapshots/cache_lock.ts";
import {
  inUsePath,
  lockPath,
  markerPath,
  refuseStray,
} from "../cache/snapshots/hub_layout.ts";
import type { Report } from "./report.ts";

/** Removes the items that `options` selects from `caches`. */
export async function prune(
  caches: readonly string[],
  options: PruneArguments,
  report: Report,
  nowMs: number,
): Promise<void> {
  let freed = 0;
  for (const model of await cachedModels(caches)) {
    if (planPrune(model, options, nowMs) === undefined) continue;
    const { name, cache, repository } = model;
    const stray = await strayOf(cache, repository);
    if (stray !== undefined) {
      report.event(
        { event: "stray", name, cache, link: stray.path },
        `${name}: ${stray.message}; it is kept`,
      );
      continue;
    }
    using lock = await lockAll(cache, repository, options.dryRun);
    if (lock === undefined) {
      report.event(
        { event: "in-use", name, cache },
        `${name}: in use by a running process, it is kept`,
      );
      continue;
    }
    // More content may have arrived before the lock.
    const fresh = (await cachedModels([cache]))
      .find((model) => model.repository === repository);
    const plan = fresh && planPrune(fresh, options, nowMs);
    if (plan === undefined) continue;
    const bytes = options.dryRun ? await planned(plan) : await remove(plan);
    freed += bytes;
    const revisions = plan.revisions.map(({ commit }) => commit);
    const event = options.dryRun ? "would-prune" : "pruned";
    report.event(
      { event, name, cache, whole: plan.whole, revisions, bytes },
      `${name}: ${plan.whole ? "all" : `${revisions.length} revisions`}, ${
        formatBytes(bytes)
      }${options.dryRun ? " would be removed" : " removed"}`,
    );
  }
  report.event(
    { event: "done", bytes: freed, dry_run: options.dryRun },
    `${formatBytes(freed)} ${options.dryRun ? "would be freed" : "freed"}`,
  );
}

/**
 * Returns the link of a repository that leads out of its cache, if there is
 * one.
 */
async function strayOf(
  cache: string,
  repository: string,
): Promise<PlainFileError | undefined> {
  try {
    const name = basename(repository);
    await refuseStray(cache, name);
    for (const path of [lockPath(cache, name), inUsePath(cache, name)]) {
      await refuseLinkOut(cache, path);
    }
    return undefined;
  } catch (error) {
    if (error instanceof PlainFileError) return error;
    throw error;
  }
}

/** Returns the blobs of a plan: those that no other revision uses. */
function blobsOf({ model, revisions, files }: PrunePlan): string[] {
  const going = new Set(revisions.map(({ commit }) => commit));
  const held = new Set(
    model.revisions.flatMap(({ commit, blobs }) =>
      going.has(commit) ? [] : blobs
    ),
  );
  const blobs = revisions.flatMap(({ blobs }) => blobs)
    .filter((blob) => !held.has(blob))
    .map((blob) => join(model.repository, "blobs", blob));
  return [...new Set([...blobs, ...files.map(({ path }) => path)])];
}

/**
 * Returns the bytes that a plan frees: of blobs, and of files that are not
 * links.
 */
async function planned(plan: PrunePlan): Promise<number> {
  const { model, whole, revisions } = plan;
  const folders = whole
    ? [model.repository]
    : revisions.map(({ folder }) => folder);
  return await freedBytes([...blobsOf(plan), ...folders]);
}

async function remove(plan: PrunePlan): Promise<number> {
  const { model: { repository }, whole, revisions } = plan;
  const bytes = await planned(plan);
  if (whole) await removeFolder(join(repository, "refs"));
  for (const { folder, commit } of revisions) {
    await removeFolder(folder);
    await removeFile(markerPath(repository, commit));
  }
  for (const path of blobsOf(plan)) await removeFile(path);
  if (whole) await removeFolder(repository);
  return bytes;
}

/**
 * Takes all locks of a model; returns undefined when another process holds one.
 * Missing lock files are created, unless the cache is read-only.
 */
async function lockAll(
  cache: string,
  repository: string,
  dryRun: boolean,
): Promise<Disposable | undefined> {
  using held = new DisposableStack();
  const name = basename(repository);
  const folder = join(cache, ".locks", name);
  const paths = new Set(await Array.fromAsync(lockFiles(folder)));
  if (!dryRun) {
    await Deno.mkdir(folder, { recursive: true });
    paths.add(lockPath(cache, name)).add(inUsePath(cache, name));
  }
  for (const path of paths) {
    const lock = await onDisk(path, () => tryLock(path, "exclusive"));
    if (lock === undefined) return undefined;
    held.use(lock);
  }
  return held.move();
}

async function* lockFiles(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && name.endsWith(".lock")) yield join(folder, name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
