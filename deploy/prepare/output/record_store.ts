/**
 * The interface of the forms of output: stores records so that a kill at any
 * moment loses none.
 *
 * @module
 */

import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import type { SetShard } from "../sets/set_manifest.ts";
import type { PreparationJournal } from "./journal.ts";

/** A record that is to be stored. */
export interface NewRecord extends PreparedRecord {
  /** Name as the input gives it. */
  readonly name: string;
}

/** The records that earlier runs stored, as the journal has them. */
export interface StoredState {
  /** Stored records, in order, that no finished file holds. */
  readonly keys: readonly StoredKey[];
  /** Finished files. */
  readonly shards: readonly {
    readonly file: string;
    readonly records: number;
  }[];
}

/** A stored record and its line in the journal. */
export interface StoredKey {
  /** Key of the record. */
  readonly key: string;
  /** Offset of its line. */
  readonly offset: number;
}

/** The files of a set, being written. */
export interface RecordStore extends AsyncDisposable {
  /** Stores a record; its line of the journal is written afterwards. */
  readonly add: (record: NewRecord) => Promise<void>;
  /** Continues after the line of a record is in the journal. */
  readonly settle: (journal: PreparationJournal) => Promise<void>;
  /** Completes the files of the set. */
  readonly finish: (journal: PreparationJournal) => Promise<void>;
}

/** Returns the records that a journal has. */
export async function storedState(
  journal: PreparationJournal,
): Promise<StoredState> {
  let keys: StoredKey[] = [];
  const shards: SetShard[] = [];
  await journal.replay((line, offset) => {
    const { key, picture, shard: file, records } = line;
    if (file !== undefined && records !== undefined) {
      shards.push({ file, records });
      keys = [];
    } else if (key !== undefined && picture !== undefined) {
      keys.push({ key, offset });
    }
  });
  return { keys, shards };
}
