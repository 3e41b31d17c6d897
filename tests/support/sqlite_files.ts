/**
 * Database files as programs leave them: closed, killed with a log, in any size
 * of pages.
 *
 * @module
 */

import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Options of a database. */
export interface OtherDatabase {
  /** Bytes of a page. */
  readonly pageBytes: number;
  /** True if it has a log beside it. */
  readonly wal: boolean;
  /** True if its program was killed before the log was copied into the file. */
  readonly killed: boolean;
  /** Names this program, or another; 0 for none. */
  readonly applicationId: number;
  /** As its program counts. */
  readonly userVersion: number;
  /** Names of its tables. */
  readonly tables: readonly string[];
}

/** Makes the database at `path`. */
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
  // As they are on the disk at this moment.
  for (const suffix of ["", "-wal"]) {
    try {
      Deno.copyFileSync(`${elsewhere}${suffix}`, `${path}${suffix}`);
    } catch {
      // It has no log.
    }
  }
  if (made.killed) database.close();
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(`${elsewhere}${suffix}`);
    } catch {
      // It was not there.
    }
  }
}

/** Names, modes, times and contents of all files of a folder. */
export function everythingIn(folder: string): unknown {
  return [...Deno.readDirSync(folder)].map(({ name }) => {
    const path = join(folder, name);
    const { mode, mtime, isFile } = Deno.statSync(path);
    const content = isFile ? Deno.readFileSync(path).toBase64() : undefined;
    return { name: basename(path), mode, mtime: mtime?.getTime(), content };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}
