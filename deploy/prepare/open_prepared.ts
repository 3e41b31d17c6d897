/**
 * The reader of prepared sets: any form that `task prepare-data` writes, with
 * random access.
 *
 * ```text
 * folder/list/train.json        form emu3, ours or of the released script
 * folder/manifest.json          forms jsonl, parquet and webdataset
 * folder/shard-00000-of-00004   a set of each part, one after the other
 * ```
 *
 * @module
 */

import { join } from "node:path";
import type { PreparedSet } from "../../lib/tuning/records.ts";
import { readReason } from "../../lib/loading/read_reason.ts";
import { PreparedSetError } from "./preparation_error.ts";
import { openEmu3Set } from "./sets/emu3_set.ts";
import { joinedSets } from "./sets/joined_sets.ts";
import { openJsonlShard, type OpenShard } from "./sets/jsonl_shard.ts";
import { openParquetShard } from "./sets/parquet_shard.ts";
import type { ShardForm } from "./data_formats.ts";
import { readManifest } from "./sets/set_manifest.ts";
import { shardedSet } from "./sets/sharded_set.ts";
import { openTarShard } from "./sets/tar_shard.ts";

/** Openers of shards by form. */
const OPENERS: Readonly<
  Record<ShardForm, (path: string) => Promise<OpenShard>>
> = {
  jsonl: openJsonlShard,
  parquet: openParquetShard,
  webdataset: openTarShard,
};

/** Name of the folder of one part of several, counted from 0. */
const PART = /^shard-(\d+)-of-(\d+)$/;

/**
 * Opens the prepared set in `folder`. Records are read on access.
 *
 * @throws {PreparedSetError} If there is none, a part of it is missing, or a
 * list is damaged.
 */
export async function openPrepared(folder: string): Promise<PreparedSet> {
  await requireFolder(folder);
  const set = await openOne(folder);
  if (set !== undefined) return set;
  const parts = await partsOf(folder);
  const sets: PreparedSet[] = [];
  for (const part of parts) {
    const opened = await openOne(join(folder, part));
    if (opened === undefined) {
      throw new PreparedSetError(
        join(folder, part),
        "it is empty; prepare this part again",
      );
    }
    sets.push(opened);
  }
  return joinedSets(sets);
}

async function openOne(folder: string): Promise<PreparedSet | undefined> {
  const emu3 = await openEmu3Set(folder);
  if (emu3 !== undefined) return emu3;
  const manifest = await readManifest(folder);
  if (manifest === undefined) return undefined;
  return shardedSet(folder, manifest, OPENERS[manifest.form]);
}

async function requireFolder(folder: string): Promise<void> {
  const { isDirectory } = await Deno.stat(folder).catch((cause) => {
    const reason = readReason(cause, "make it with task prepare-data");
    throw new PreparedSetError(folder, reason, { cause });
  });
  if (isDirectory) return;
  throw new PreparedSetError(
    folder,
    "it is a file; name the folder that task prepare-data wrote",
  );
}

/** Returns the names of all parts, in order. */
async function partsOf(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (PART.test(name)) names.push(name);
    }
  } catch (cause) {
    throw new PreparedSetError(folder, readReason(cause), { cause });
  }
  names.sort();
  if (names.length === 0) {
    throw new PreparedSetError(
      folder,
      "it holds neither list/train.json nor manifest.json; make it with task prepare-data",
    );
  }
  const [, , count] = PART.exec(names[0]!)!;
  for (let i = 0; i < Number(count); i++) {
    const [, number, total] = PART.exec(names[i] ?? "") ?? [];
    if (Number(number) === i && total === count) continue;
    throw new PreparedSetError(
      folder,
      `part ${i}/${Number(count)} is missing`,
    );
  }
  if (names.length > Number(count)) {
    throw new PreparedSetError(
      folder,
      `it holds parts of different counts, such as ${names[0]} and ${
        names.at(-1)
      }`,
    );
  }
  return names;
}
