/**
 * The data of a tuning run: a prepared set, and one of what the model drew and
 * answered itself.
 *
 * @module
 */

import type { PreparedSet } from "../../lib/tuning/records.ts";
import { openPrepared } from "../prepare/open_prepared.ts";
import { joinedSets } from "../prepare/sets/joined_sets.ts";

/**
 * Opens both sets as one, the replayed records last.
 *
 * @throws {PreparedSetError} If one of them is none, or is damaged.
 */
export async function openData(
  folder: string,
  replay: string | undefined,
): Promise<PreparedSet> {
  await using opened = new AsyncDisposableStack();
  const taught = opened.use(await openPrepared(folder));
  const set = replay === undefined
    ? taught
    : joinedSets([taught, replayed(opened.use(await openPrepared(replay)))]);
  opened.move();
  return set;
}

/** Returns a set whose records are replayed. */
function replayed(set: PreparedSet): PreparedSet {
  return {
    length: set.length,
    read: async (index) => ({ ...await set.read(index), replayed: true }),
    [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
  };
}
