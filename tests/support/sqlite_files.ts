/**
 * The database files that programs leave: closed, or killed with a log, with
 * any page size.
 *
 * @module
 */

import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The options of a database. */
export interface OtherDatabase {
  /** Bytes of a page. */
  readonly pageBytes: number;
  /** True if it has a log beside it. */
  readonly wal: boolean;
  /** True if its program was killed before the log was checkpointed. */
  readonly killed: boolean;
  /** Application id: this program's, another's, or 0 for none. */
  readonly applicationId: number;
  /** User version, as its program counts. */
  readonly userVersion: number;
  /** Names of its tables. */
  readonly tables: readonly string[];
}

/** Creates the database at `path`. */
export function makeDatabase(path: string, made: OtherDatabase): void {
  const elsewhere = `${path}.made`;
  const database = new DatabaseSync(elsewhere);
  database.exec(`PRAGMA page_size = ${made.pageBytes}; VACUUM`);
  if (made.wal) database.exec("PRAGMA journal_mode = WAL");
  database.exec(
    `PRAGMA application_id = ${made.applicationId}; PRAGMA user_version = ${made.userVersion}`,
  );
  for (const table of made.tables) {
    database.exec(
      `CREATE TABLE "${table}" (a, b); CREATE INDEX "i ${table}" ON "${table}" (a)`,
    );
    database.exec(`INSERT INTO "${table}" VALUES ('${"x".repeat(99)}', 1)`);
  }
  if (!made.killed) database.close();
  // Files as they are on disk at this moment.
  for (const suffix of ["", "-wal"]) {
    try {
      Deno.copyFileSync(`${elsewhere}${suffix}`, `${path}${suffix}`);
    } catch {
      // The database has no log.
    }
  }
  if (made.killed) database.close();
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(`${elsewhere}${suffix}`);
    } catch {
      // The file did not exist.
    }
  }
}

/** Returns names, modes, times and contents of all files in a folder. */
export function everythingIn(folder: string): unknown {
  return [...Deno.readDirSync(folder)].map(({ name }) => {
    const path = join(folder, name);
    const { mode, mtime, isFile } = Deno.statSync(path);
    const content = isFile ? Deno.readFileSync(path).toBase64() : undefined;
    return { name: basename(path), mode, mtime: mtime?.getTime(), content };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}
