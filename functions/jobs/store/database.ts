/**
 * The file that jobs and answers are kept in: SQLite, one server a file.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Emu3Error } from "../../../lib/errors.ts";
import { MIGRATIONS } from "./migrations.ts";
import {
  APPLICATION_ID,
  damageMessage,
  damageOf,
  makeStoreFile,
  protectStore,
  whyNoStore,
} from "./store_file.ts";

/** A store that lasts as long as the process. */
export const IN_MEMORY = ":memory:";

/**
 * `auto_vacuum` comes first: it is for files in which nothing is written, and
 * `application_id` writes. What is committed survives the end of the process;
 * `synchronous = NORMAL` may lose the last moments to a power cut, not the file.
 * The empty transaction takes the lock.
 */
const BEFORE_NAMED =
  "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE";
const PRAGMAS =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT";

/** A file that cannot be the store. */
export class StoreError extends Emu3Error {
  /** Says what is wrong with the file. */
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super("bad-store", `Cannot use store ${path}: ${reason}`, options);
  }
}

/**
 * Opens the file, makes it if there is none, and brings it up to date.
 *
 * A file that is none of ours is refused unchanged. Ours is for its owner alone,
 * and locked until it is closed, or the process ends in whatever way.
 *
 * @param path A file, or {@linkcode IN_MEMORY}.
 * @param onUnprotected Hears that others may read the file.
 * @throws {StoreError} When it is in use, of a later version, of another
 * program, damaged, or no store.
 */
export function openDatabase(
  path: string,
  migrations: readonly string[] = MIGRATIONS,
  onUnprotected: (error: Error) => void = () => {},
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    const file = path === IN_MEMORY
      ? path
      : usableFile(path, migrations.length, onUnprotected);
    database = new DatabaseSync(file);
    database.exec(BEFORE_NAMED);
    const damage = path === IN_MEMORY ? undefined : damageOf(database, path);
    if (damage !== undefined) throw new StoreError(path, damage);
    name(database);
    database.exec(PRAGMAS);
    migrate(database, path, migrations);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(path, reasonOf(cause, path), { cause });
  }
}

/** The file at `path`, once it was looked at. */
function usableFile(
  path: string,
  latest: number,
  onUnprotected: (error: Error) => void,
): string {
  const file = makeStoreFile(path);
  const reason = whyNoStore(file, latest);
  if (reason !== undefined) throw new StoreError(path, reason);
  try {
    protectStore(file);
  } catch (cause) {
    const message =
      `Cannot protect store ${path}: others may read it and it has another owner, run chmod 600`;
    onUnprotected(new Error(message, { cause }));
  }
  return file;
}

/** Writes whose the file is, unless it says so. */
function name(database: DatabaseSync): void {
  const { application_id: id } = database.prepare("PRAGMA application_id")
    .get() as { "application_id": number };
  if (id === APPLICATION_ID) return;
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

/** Runs `change` as a whole or not at all. */
export function transact<T>(database: DatabaseSync, change: () => T): T {
  // Nested ones are part of the outermost.
  if (database.isTransaction) return change();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = change();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // On a full disk SQLite has done so itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
): void {
  const { user_version: version } = database.prepare("PRAGMA user_version")
    .get() as { "user_version": number };
  if (version > migrations.length) {
    throw new StoreError(
      path,
      "a later version of this program made it, set STORE to another file",
    );
  }
  for (const [i, step] of migrations.entries()) {
    if (i < version) continue;
    transact(database, () => {
      database.exec(step);
      database.exec(`PRAGMA user_version = ${i + 1}`);
    });
  }
}

function reasonOf(cause: unknown, path: string): string {
  const message = cause instanceof Error ? cause.message : `${cause}`;
  if (/locked|busy/i.test(message)) {
    return "another server has it open, set STORE to another file";
  }
  if (/malformed|corrupt/i.test(message)) return damageMessage(path, message);
  if (cause instanceof Deno.errors.NotFound) {
    return "it is a link to what is not there, set STORE to a file that can be written";
  }
  if (/not a database/i.test(message)) {
    return "it is something else, set STORE to another file";
  }
  return `${message}, set STORE to a file that can be written`;
}
