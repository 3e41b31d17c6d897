/**
 * The lock that gives one process at a time access to shared files.
 *
 * The system holds the lock (`flock`), so it is released when the process ends.
 * Over NFS, Linux locks the file on the server, for all machines; with `nolock`
 * mounts or file systems without locks, two processes may work at once. They
 * then write the same bytes to the same paths, and results are checked before
 * use.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { delay } from "../../../lib/async/delay.ts";

/** Milliseconds between two attempts at the lock. */
const ASK_AGAIN_MS = 250;

/** A lock that is held. */
export type HeldLock = Disposable;

/** The kind of a lock: for one holder, or shared by several. */
export type LockKind = "exclusive" | "shared";

/**
 * Takes the lock at `path`, once no conflicting lock is held.
 *
 * @param onWait Called repeatedly while another process holds it.
 */
export async function takeLock(
  path: string,
  signal: AbortSignal,
  onWait: () => void,
  kind: LockKind = "exclusive",
): Promise<HeldLock> {
  for (;;) {
    signal.throwIfAborted();
    const held = await tryLock(path, kind);
    if (held !== undefined) return held;
    onWait();
    await delay(ASK_AGAIN_MS, signal);
  }
}

/**
 * Takes the lock at `path`; returns undefined while another process holds it.
 */
export async function tryLock(
  path: string,
  kind: LockKind,
): Promise<HeldLock | undefined> {
  // The file stays: after a removal, two locks on its name could be held.
  const file = await openPlainFile(path);
  let ours: boolean;
  try {
    ours = await file.tryLock(kind === "exclusive");
  } catch {
    // The file system has no locks.
    ours = true;
  }
  if (ours) return { [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}
