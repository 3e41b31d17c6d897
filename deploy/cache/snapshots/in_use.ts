/**
 * The locks on cached models that a process uses.
 *
 * ```text
 * obtain ─▶ a lock that users share ─▶ still complete? ─▶ use
 *             │                            └ no: obtain again, under the lock
 *             └ removal needs it exclusively; otherwise the model stays
 * ```
 *
 * @module
 */

import { basename, dirname } from "node:path";
import { refuseLinkOut } from "../../../lib/loading/plain_file.ts";
import { obtain, type ObtainOptions } from "../obtain.ts";
import { type HeldLock, takeLock } from "./cache_lock.ts";
import { inUsePath } from "./hub_layout.ts";
import { whatLacks } from "./snapshot_check.ts";

/** A model that is protected from removal from its cache. */
export interface ModelInUse extends Disposable {
  /** Path of the model. */
  readonly folder: string;
}

/**
 * Returns the folder of `source`, locked until disposal or the end of the
 * process.
 *
 * @throws {SourceError} As {@linkcode obtain} does.
 * @throws {DiskError} As {@linkcode obtain} does.
 */
export async function obtainForUse(
  source: string,
  options: ObtainOptions,
): Promise<ModelInUse> {
  const folder = await obtain(source, options);
  const lock = await hold(folder, options);
  const inUse = (folder: string) => ({
    folder,
    [Symbol.dispose]: () => lock?.[Symbol.dispose](),
  });
  if (lock === undefined || await whatLacks(folder) === undefined) {
    return inUse(folder);
  }
  try {
    return inUse(await obtain(source, options));
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Shares the lock of a cached model; returns undefined if there is none to
 * share.
 */
async function hold(
  folder: string,
  { onProgress, signal }: ObtainOptions,
): Promise<HeldLock | undefined> {
  const snapshots = dirname(folder);
  const repository = dirname(snapshots);
  const cached = basename(snapshots) === "snapshots" &&
    basename(repository).startsWith("models--");
  if (!cached) return undefined;
  const path = inUsePath(dirname(repository), basename(repository));
  try {
    await refuseLinkOut(dirname(repository), path);
    await Deno.mkdir(dirname(path), { recursive: true });
    const place = `another process, which is removing files from ${repository}`;
    const onWait = () =>
      onProgress({ phase: "wait", bytes: 0, totalBytes: undefined, place });
    return await takeLock(path, signal, onWait, "shared");
  } catch {
    signal.throwIfAborted();
    // The cache is not writable: the model is used without a lock.
    return undefined;
  }
}
