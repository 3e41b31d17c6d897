/**
 * The file that jobs and answers are kept in: SQLite, one server a file.
 *
 * @module
 */

import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Emu3Error } from "../../lib/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** A store that lasts as long as the process. */
export const IN_MEMORY = ":memory:";

/**
 * `auto_vacuum` comes first: it is for files in which nothing is written, and
 * `journal_mode` writes. What is committed survives the end of the process;
 * `synchronous = NORMAL` may lose the last moments to a power cut, not the file.
 * The empty transaction takes the lock.
 */
const PRAGMAS =
  "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT";

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
 * Locked until it is closed, or the process ends in whatever way.
 *
 * @param path A file, or {@linkcode IN_MEMORY}.
 * @throws {StoreError} When it is in use, of a later version, or no store.
 */
export function openDatabase(
  path: string,
  migrations: readonly string[] = MIGRATIONS,
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== IN_MEMORY) Deno.mkdirSync(dirname(path), { recursive: true });
    database = new DatabaseSync(path);
    database.exec(PRAGMAS);
    migrate(database, path, migrations);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(path, reasonOf(cause), { cause });
  }
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

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : `${cause}`;
  if (/locked|busy/i.test(message)) {
    return "another server has it open, set STORE to another file";
  }
  if (/not a database/i.test(message)) {
    return "it is something else, set STORE to another file";
  }
  return `${message}, set STORE to a file that can be written`;
}
