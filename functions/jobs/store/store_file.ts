/**
 * The file of a store, checked before it is opened for writing.
 *
 * ```text
 * no file, an empty one, a database without tables     initialized
 * our application_id, or our tables without one        opened, unless later
 * all others                                           refused
 * ```
 *
 * SQLite writes to a file as soon as its pragmas are set, so the file is
 * checked before that.
 *
 * @module
 */

import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { readSqliteFacts, type SqliteFacts } from "./sqlite_file.ts";

/** SQLite's `application_id` of this program: "emu3" in ASCII. */
export const APPLICATION_ID = 0x656d_7533;

/** First and last version without an application id. */
const NAMELESS_VERSIONS = [1, 5] as const;

/** Tables of the first version, and those of versions without an id. */
const FIRST_TABLES = ["jobs", "events", "halfways"];
const NAMELESS_TABLES: ReadonlySet<string> = new Set([
  ...FIRST_TABLES,
  "idempotency",
  "deliveries",
  "requests",
  "answers",
]);

/** Largest file whose pages are all checked: about a second per gigabyte. */
const CHECKED_BYTES = 2 ** 31;

/** Tables that are checked in larger files: those without bodies. */
const SMALL_TABLES = ["jobs", "idempotency", "deliveries"];

const OTHER_FILE = "set STORE to another file";

/**
 * Creates the file at `path` and its folder, for their owner alone, unless they
 * exist.
 *
 * @returns Path of the file: a link to one is followed.
 */
export function makeStoreFile(path: string): string {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return Deno.realPathSync(path);
}

/**
 * Returns the reason why the file at `path` cannot be the store. Changes
 * nothing.
 *
 * @param latest Schema version of this program.
 * @returns Defect and remedy; undefined for none.
 */
export function whyNoStore(path: string, latest: number): string | undefined {
  const { isFile, size } = Deno.statSync(path);
  if (!isFile) {
    return "it is not a file; set STORE to a writable file";
  }
  if (size === 0) return undefined;
  const facts = readSqliteFacts(path);
  if (facts === undefined) return `it is not a store; ${OTHER_FILE}`;
  if (facts.applicationId === APPLICATION_ID) {
    return facts.userVersion > latest
      ? `it was created by a later version of this program; ${OTHER_FILE}`
      : undefined;
  }
  // Only SQLite can read a file with a hot journal.
  const begun = (statOf(`${path}-journal`)?.size ?? 0) > 0;
  return !begun && isNameless(facts)
    ? undefined
    : `it belongs to another program; ${OTHER_FILE}`;
}

/** Removes the rights of other users from a store. */
export function protectStore(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statOf(file)?.mode ?? 0;
    if ((mode & 0o077) !== 0) Deno.chmodSync(file, 0o600);
  }
}

/**
 * Checks for invalid pages: in all of a file of up to 2 GiB, in the tables
 * without bodies of a larger one.
 *
 * @param path Path of `database`.
 * @returns Defect and remedy; undefined for none.
 */
export function damageOf(
  database: DatabaseSync,
  path: string,
): string | undefined {
  const checks = (statOf(path)?.size ?? 0) <= CHECKED_BYTES
    ? ["PRAGMA quick_check(1)"]
    : SMALL_TABLES.map((name) => `PRAGMA quick_check(${name})`);
  for (const check of checks) {
    const [row] = database.prepare(check).all();
    // No row: an earlier version lacks the table.
    const report = String(Object.values(row ?? {})[0] ?? "ok");
    if (report !== "ok") return damageMessage(path, report);
  }
  return undefined;
}

/** Returns the remedy for a store with invalid pages. */
export function damageMessage(path: string, detail: string): string {
  const short = detail.replaceAll(/\s+/g, " ").slice(0, 200);
  return `it is damaged (${short}); move ${path} and ${path}-wal away to start with an empty store, or recover its data with "sqlite3 ${path} .recover"`;
}

/** Returns true for no tables, or those of a version without an id. */
function isNameless(
  { applicationId, userVersion, tables }: SqliteFacts,
): boolean {
  if (applicationId !== 0 || tables === undefined) return false;
  if (tables.length === 0) return userVersion === 0;
  const [first, last] = NAMELESS_VERSIONS;
  return userVersion >= first && userVersion <= last &&
    FIRST_TABLES.every((name) => tables.includes(name)) &&
    tables.every((name) => NAMELESS_TABLES.has(name));
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    // The file does not exist.
    return undefined;
  }
}
