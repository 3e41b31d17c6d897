/**
 * The folder that becomes a prepared set: records in the order of the input,
 * each once, over any number of killed runs.
 *
 * ```text
 * settings.json     settings of all records
 * journal.jsonl     every record that is done, in order
 * errors.jsonl      unusable records, with the reason
 * duplicates.jsonl  those whose picture a stored record has, by its index
 * feature/ list/    form emu3
 * data-00000.…      other forms, with manifest.json
 * ```
 *
 * A record is stored first, then noted in the journal: a kill between the two
 * repeats the work and stores the same bytes again.
 *
 * @module
 */

import { join } from "node:path";
import { onDisk } from "../../cache/base/disk.ts";
import { AppendFile } from "./append_file.ts";
import { openFeatureStore } from "./feature_store.ts";
import { type OutputCounts, PreparationHistory } from "./history.ts";
import {
  type JournalLine,
  OUTPUT_REMEDY,
  PreparationJournal,
} from "./journal.ts";
import {
  type NewRecord,
  type RecordStore,
  storedState,
} from "./record_store.ts";
import { keepSettings, type SetSettings } from "./set_settings.ts";
import { openShardStore } from "./shard_store.ts";

/** Options of an output. */
export interface OutputOptions {
  /** Settings that all runs share. */
  readonly settings: SetSettings;
  /** Records of a file, in forms of several records a file. */
  readonly shardSize: number;
  /** True to try records again that earlier runs could not use. */
  readonly retryErrors: boolean;
  /** True to omit records with a picture that the set already has. */
  readonly skipDuplicates: boolean;
}

/** The files of an output. */
interface OutputFiles {
  readonly journal: PreparationJournal;
  readonly store: RecordStore;
  readonly errors: AppendFile;
  readonly duplicates: AppendFile;
}

/** The open folder. */
export class PreparedOutput implements AsyncDisposable {
  readonly #files: OutputFiles;
  readonly #history: PreparationHistory;
  readonly #options: OutputOptions;

  private constructor(
    files: OutputFiles,
    history: PreparationHistory,
    options: OutputOptions,
  ) {
    this.#files = files;
    this.#history = history;
    this.#options = options;
  }

  /**
   * Opens `folder`, with the records of earlier runs.
   *
   * @throws {PreparationError} If it is of other settings, or another process
   * writes it.
   * @throws {DiskError} If the disk refuses it.
   */
  static async open(
    folder: string,
    options: OutputOptions,
  ): Promise<PreparedOutput> {
    const path = (name: string) => join(folder, name);
    await onDisk(
      folder,
      () => Deno.mkdir(folder, { recursive: true }),
      OUTPUT_REMEDY,
    );
    await keepSettings(folder, options.settings);
    await using opened = new AsyncDisposableStack();
    const journal = opened.use(
      await PreparationJournal.open(path("journal.jsonl")),
    );
    await removeUnfinished(folder);
    const store = opened.use(await openStore(folder, journal, options));
    const history = new PreparationHistory();
    await journal.replay((line) => history.add(line));
    const errors = opened.use(
      await AppendFile.open(path("errors.jsonl"), history.errorLines),
    );
    const duplicates = opened.use(
      await AppendFile.open(
        path("duplicates.jsonl"),
        history.takeDuplicateLines(),
      ),
    );
    opened.move();
    const files = { journal, store, errors, duplicates };
    return new PreparedOutput(files, history, options);
  }

  /** Numbers of records, over all runs. */
  get counts(): OutputCounts {
    return this.#history.counts;
  }

  /** Reason of the first record that cannot be used; undefined if none is. */
  get firstError(): string | undefined {
    const [line] = this.#history.errorLines;
    return line === undefined ? undefined : JSON.parse(line).error;
  }

  /** Returns true if a record needs no work in this run. */
  isDone(key: string): boolean {
    return this.#history.isDone(key) ||
      (!this.#options.retryErrors && this.#history.isFailed(key));
  }

  /**
   * Stores a record.
   *
   * @param picture Hash of the picture's file.
   */
  async add(record: NewRecord, picture: string): Promise<void> {
    const { journal, store, duplicates } = this.#files;
    const { key } = record;
    const twin = this.#history.indexOf(picture);
    if (twin !== undefined && this.#options.skipDuplicates) {
      await this.#note({ key, "same_as": twin });
    } else {
      await store.add(record);
      await this.#note({ key, picture });
      await store.settle(journal);
    }
    await duplicates.append(...this.#history.takeDuplicateLines());
  }

  /** Notes a record that cannot be used. */
  async fail(key: string, place: string, error: string): Promise<void> {
    await this.#files.errors.append(JSON.stringify({ key, place, error }));
    await this.#note({ key, place, error });
  }

  /** Completes the files of the set. */
  async finish(): Promise<void> {
    await this.#files.store.finish(this.#files.journal);
    await this.#files.journal.sync();
  }

  /** Closes all files; stored records stay for the next run. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { journal, store, errors, duplicates } = this.#files;
    await store[Symbol.asyncDispose]();
    errors[Symbol.dispose]();
    duplicates[Symbol.dispose]();
    journal[Symbol.dispose]();
  }

  async #note(line: JournalLine): Promise<void> {
    await this.#files.journal.add(line);
    this.#history.add(line);
  }
}

async function openStore(
  folder: string,
  journal: PreparationJournal,
  { settings: { form }, shardSize }: OutputOptions,
): Promise<RecordStore> {
  const state = await storedState(journal);
  return form === "emu3"
    ? await openFeatureStore(folder, state)
    : await openShardStore(folder, state, journal, { form, shardSize });
}

/** Removes files that a kill left unfinished. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const under of ["", "list", "feature"]) {
    try {
      for await (const { name } of Deno.readDir(join(folder, under))) {
        if (!name.endsWith(".incomplete")) continue;
        await Deno.remove(join(folder, under, name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
