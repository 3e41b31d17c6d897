/**
 * The output in files of many records: JSONL, Parquet or WebDataset.
 *
 * ```text
 * record ─▶ pending.jsonl ─ full ─▶ data-00000.… ─▶ journal ─▶ manifest.json
 *                                                             pending emptied
 * ```
 *
 * Records wait in a file of lines until they fill a file of the form, which is
 * written under another name first. After a kill the pending records are those
 * of the journal that no finished file holds; lines that the journal lacks are
 * dropped.
 *
 * @module
 */

import type { ShardForm } from "../data_formats.ts";
import { join } from "node:path";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { writeWhole } from "../../cache/base/disk.ts";
import { jsonLine, recordOfLine } from "../sets/jsonl_shard.ts";
import {
  MANIFEST_FILE,
  manifestText,
  type SetShard,
} from "../sets/set_manifest.ts";
import { InputStream } from "../readers/input_file.ts";
import { AppendFile } from "./append_file.ts";
import { OUTPUT_REMEDY, type PreparationJournal } from "./journal.ts";
import type { NewRecord, RecordStore, StoredState } from "./record_store.ts";
import { SHARD_WRITERS } from "./shard_writers.ts";

/** Name of the file of records that fill no file of the form yet. */
const PENDING_FILE = "pending.jsonl";

/** The kind and size of files. */
export interface ShardOptions {
  /** Form of the files. */
  readonly form: ShardForm;
  /** Records of a file. */
  readonly shardSize: number;
}

/**
 * Opens the files in `folder`, with the records of earlier runs. Lines of the
 * journal whose records are lost, after a power loss, are cut off.
 */
export async function openShardStore(
  folder: string,
  { keys, shards }: StoredState,
  journal: PreparationJournal,
  options: ShardOptions,
): Promise<RecordStore> {
  const path = join(folder, PENDING_FILE);
  const there = await pendingRecords(path);
  const lost = keys.find(({ key }) => !there.has(key));
  if (lost !== undefined) await journal.cut(lost.offset);
  const kept = keys.slice(
    0,
    lost === undefined ? undefined : keys.indexOf(lost),
  )
    .map(({ key }) => there.get(key)!);
  // Replaced atomically: a kill must not lose records of the journal.
  await writeWhole(
    path,
    kept.map((record) => `${jsonLine(record)}\n`).join(""),
    OUTPUT_REMEDY,
  );
  const store = new ShardStore(folder, options, {
    shards: [...shards],
    pending: kept,
    file: await AppendFile.continue(path),
  });
  await store.writeManifest();
  return store;
}

class ShardStore implements RecordStore {
  readonly #folder: string;
  readonly #options: ShardOptions;
  readonly #shards: SetShard[];
  readonly #pending: PreparedRecord[];
  readonly #file: AppendFile;

  constructor(
    folder: string,
    options: ShardOptions,
    { shards, pending, file }: {
      readonly shards: SetShard[];
      readonly pending: PreparedRecord[];
      readonly file: AppendFile;
    },
  ) {
    this.#folder = folder;
    this.#options = options;
    this.#shards = shards;
    this.#pending = pending;
    this.#file = file;
  }

  readonly add = async ({ name: _, ...record }: NewRecord): Promise<void> => {
    await this.#file.append(jsonLine(record));
    this.#pending.push(record);
  };

  readonly settle = async (journal: PreparationJournal): Promise<void> => {
    if (this.#pending.length >= this.#options.shardSize) {
      await this.finish(journal);
    }
  };

  readonly finish = async (journal: PreparationJournal): Promise<void> => {
    const { length } = this.#pending;
    if (length === 0) return;
    const { extension, write } = SHARD_WRITERS[this.#options.form];
    const number = String(this.#shards.length).padStart(5, "0");
    const shard = { file: `data-${number}${extension}`, records: length };
    await this.#file.sync();
    const bytes = await write(this.#pending);
    await writeWhole(join(this.#folder, shard.file), bytes, OUTPUT_REMEDY);
    await journal.add({ shard: shard.file, records: length });
    await journal.sync();
    this.#shards.push(shard);
    await this.writeManifest();
    await this.#file.empty();
    this.#pending.length = 0;
  };

  async writeManifest(): Promise<void> {
    const { form } = this.#options;
    await writeWhole(
      join(this.#folder, MANIFEST_FILE),
      manifestText({ form, shards: this.#shards }),
      OUTPUT_REMEDY,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#file[Symbol.dispose]());
  }
}

/** Returns the whole records of the file at `path` by key. */
async function pendingRecords(
  path: string,
): Promise<ReadonlyMap<string, PreparedRecord>> {
  const records = new Map<string, PreparedRecord>();
  const there = await Deno.stat(path).then(() => true, () => false);
  if (!there) return records;
  using stream = await InputStream.open(path);
  for await (const line of stream.lines()) {
    try {
      const record = recordOfLine(line);
      records.set(record.key, record);
    } catch {
      // Torn by a kill: the journal has no line of it.
    }
  }
  return records;
}
