/**
 * What a process uses of a cache, for as long as it lives.
 *
 * ```text
 * obtain ─▶ a lock that users share ─▶ still all there? ─▶ use
 *             │                            └ no: obtain again, under the lock
 *             └ whoever removes wants it alone, and leaves the model
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

/** A model that nobody removes from its cache. */
export interface ModelInUse extends Disposable {
  /** Where it is. */
  readonly folder: string;
}

/**
 * The folder of `source`, held until it is disposed of, or the process ends.
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

/** Shares the lock of a cached model; undefined where there is none to share. */
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
    const place = `another process, which removes from ${repository}`;
    const onWait = () =>
      onProgress({ phase: "wait", bytes: 0, totalBytes: undefined, place });
    return await takeLock(path, signal, onWait, "shared");
  } catch {
    signal.throwIfAborted();
    // Of a cache that is not ours to write: what we cannot lock we serve.
    return undefined;
  }
}
