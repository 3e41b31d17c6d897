/**
 * The database of jobs and answers: SQLite, one server per file.
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

/** Path of a store that lasts as long as the process. */
export const IN_MEMORY = ":memory:";

/**
 * Statements before the file is named. `auto_vacuum` comes first: it requires a
 * file without writes, and `application_id` writes. Committed data survives the
 * end of the process; `synchronous = NORMAL` may lose the last moments to a
 * power cut, not the file. The empty transaction takes the lock.
 */
const BEFORE_NAMED =
  "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE";
const PRAGMAS =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT";

/** The error of a file that cannot be the store. */
export class StoreError extends Emu3Error {
  /** Creates the error from the defect of the file. */
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super("bad-store", `Cannot use store ${path}: ${reason}`, options);
  }
}

/**
 * Opens the file, creates it if there is none, and migrates it.
 *
 * A file of another program is refused unchanged. A store is readable by its
 * owner alone, and locked until it is closed or the process ends in any way.
 *
 * @param path A file, or {@linkcode IN_MEMORY}.
 * @param onUnprotected Called if other users can read the file.
 * @throws {StoreError} If it is in use, of a later version, of another program,
 * damaged, or not a store.
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

/** Returns the file at `path` after its check. */
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
      `Cannot protect store ${path}: it is readable by others and belongs to another user; run chmod 600`;
    onUnprotected(new Error(message, { cause }));
  }
  return file;
}

/** Writes the application id, unless the file has one. */
function name(database: DatabaseSync): void {
  const { application_id: id } = database.prepare("PRAGMA application_id")
    .get() as { "application_id": number };
  if (id === APPLICATION_ID) return;
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

/** Runs `change` as a atomically. */
export function transact<T>(database: DatabaseSync, change: () => T): T {
  // Nested transactions are part of the outermost.
  if (database.isTransaction) return change();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = change();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // On a full disk SQLite has rolled back itself.
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
      "it was created by a later version of this program; set STORE to another file",
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
    return "another server has it open; set STORE to another file";
  }
  if (/malformed|corrupt/i.test(message)) return damageMessage(path, message);
  if (cause instanceof Deno.errors.NotFound) {
    return "it is a broken symbolic link; set STORE to a writable file";
  }
  if (/not a database/i.test(message)) {
    return "it is not a store; set STORE to another file";
  }
  return `${message}; set STORE to a writable file`;
}
