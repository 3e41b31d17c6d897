/**
 * A queue for the event loop: long work runs in slices, one per turn, so that
 * timers, sockets and health checks are served in between.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";

/** The bytes or characters that one slice handles natively: about 10 ms. */
export const SLICE = 2 ** 22;

/** Waits for a separate turn if the work is long. */
export async function turnFor({ length }: { readonly length: number }): Promise<
  void
> {
  if (length > SLICE) await turn();
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Waits for a separate turn of the event loop. Concurrent callers get one turn
 * each, in the order of their calls.
 */
export async function turn(): Promise<void> {
  const mine = last.then(() => setImmediate());
  last = mine;
  await mine;
}
