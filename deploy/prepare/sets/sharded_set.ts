/**
 * The prepared set of several files: opens each file with its first record.
 *
 * @module
 */

import { join } from "node:path";
import type { PreparedSet } from "../../../lib/tuning/records.ts";
import type { OpenShard } from "./jsonl_shard.ts";
import { placeIn, startsOf } from "./joined_sets.ts";
import type { SetManifest } from "./set_manifest.ts";

/** Shards that are open at once; reading at random opens them anew. */
const OPEN_SHARDS = 8;

/** Returns the set of a manifest; `open` opens a file of its form. */
export function shardedSet(
  folder: string,
  { shards }: SetManifest,
  open: (path: string) => Promise<OpenShard>,
): PreparedSet {
  const starts = startsOf(shards.map(({ records }) => records));
  const opened = new Map<number, Promise<OpenShard>>();
  return {
    length: starts.at(-1)!,
    read: async (index) => {
      const { part, within } = placeIn(starts, index);
      const shard = opened.get(part) ?? open(join(folder, shards[part]!.file));
      // The map is in the order of use.
      opened.delete(part);
      opened.set(part, shard);
      // The awaiting caller gets the error; the next one may try again.
      shard.catch(() => opened.delete(part));
      if (opened.size > OPEN_SHARDS) opened.delete(opened.keys().next().value!);
      return await (await shard).read(within);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(opened.clear()),
  };
}
