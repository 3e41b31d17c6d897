/**
 * One process at a time on what several share.
 *
 * The system holds the lock (`flock`), so it goes with the process, however
 * that ends. Over NFS Linux makes it a lock of the server's, which holds
 * between machines; where a mount says `nolock` or a file system knows no
 * locks, two may work at once. They then write the same bytes into the same
 * places, and what they make is checked before it counts.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { pause } from "../base/pause.ts";

/** How often it is asked whether another has finished. */
const ASK_AGAIN_MS = 250;

/** A lock that is held. */
export type HeldLock = Disposable;

/** Whose lock it is: one's alone, or of all who share it. */
export type LockKind = "exclusive" | "shared";

/**
 * Takes the lock at `path`, once nobody holds it with whom it cannot be shared.
 *
 * @param onWait Hears, again and again, that another holds it.
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
    await pause(ASK_AGAIN_MS, signal);
  }
}

/** The lock at `path`; undefined while another holds it. */
export async function tryLock(
  path: string,
  kind: LockKind,
): Promise<HeldLock | undefined> {
  // The file stays: were it removed, two could hold locks on two of its name.
  const file = await openPlainFile(path);
  let ours: boolean;
  try {
    ours = await file.tryLock(kind === "exclusive");
  } catch {
    // No locks here.
    ours = true;
  }
  if (ours) return { [Symbol.dispose]: () => file.close() };
  file.close();
  return undefined;
}
