/**
 * The file of a store, looked at before it is opened for writing.
 *
 * ```text
 * no file, an empty one, a database without tables     ours to fill
 * our application_id, or our tables without one        ours, unless of a later version
 * anything else                                        refused, unchanged
 * ```
 *
 * SQLite writes into a file as soon as it is told how to keep it; who a file
 * belongs to must be known before that.
 *
 * @module
 */

import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { readSqliteFacts, type SqliteFacts } from "./sqlite_file.ts";

/** Names this program in SQLite's `application_id`: "emu3" in ASCII. */
export const APPLICATION_ID = 0x656d_7533;

/** The first and the last version that did not name the program. */
const NAMELESS_VERSIONS = [1, 5] as const;

/** Tables of the first version, and those that nameless ones may have. */
const FIRST_TABLES = ["jobs", "events", "halfways"];
const NAMELESS_TABLES: ReadonlySet<string> = new Set([
  ...FIRST_TABLES,
  "idempotency",
  "deliveries",
  "requests",
  "answers",
]);

/** A check of all pages reads the whole file, about a second a gigabyte. */
const CHECKED_BYTES = 2 ** 31;

/** Tables that are checked in larger files: those without bodies. */
const SMALL_TABLES = ["jobs", "idempotency", "deliveries"];

const OTHER_FILE = "set STORE to another file";

/**
 * Makes the file at `path` and its folder, for their owner alone, unless they
 * are there.
 *
 * @returns Where the file is: a link that leads to one is followed.
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
 * Looks why the file at `path` cannot be the store. Changes nothing.
 *
 * @param latest The version of this program.
 * @returns What is wrong and what would do; undefined for nothing.
 */
export function whyNoStore(path: string, latest: number): string | undefined {
  const { isFile, size } = Deno.statSync(path);
  if (!isFile) {
    return "it is not a file, set STORE to a file that can be written";
  }
  if (size === 0) return undefined;
  const facts = readSqliteFacts(path);
  if (facts === undefined) return `it is something else, ${OTHER_FILE}`;
  if (facts.applicationId === APPLICATION_ID) {
    return facts.userVersion > latest
      ? `a later version of this program made it, ${OTHER_FILE}`
      : undefined;
  }
  // What a journal rolls back, SQLite alone can tell.
  const begun = (statOf(`${path}-journal`)?.size ?? 0) > 0;
  return !begun && isNameless(facts)
    ? undefined
    : `another program made it, ${OTHER_FILE}`;
}

/** Takes rights from everybody but the owner of a store. */
export function protectStore(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statOf(file)?.mode ?? 0;
    if ((mode & 0o077) !== 0) Deno.chmodSync(file, 0o600);
  }
}

/**
 * Looks for pages that cannot be right: in all of a file of up to 2 GiB, in the
 * tables without bodies of a larger one.
 *
 * @param path Where `database` is kept.
 * @returns What is wrong and what would do; undefined for nothing.
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
    // No row: an earlier version had no such table.
    const said = String(Object.values(row ?? {})[0] ?? "ok");
    if (said !== "ok") return damageMessage(path, said);
  }
  return undefined;
}

/** Returns the remedy for a store with pages that cannot be right. */
export function damageMessage(path: string, detail: string): string {
  const short = detail.replaceAll(/\s+/g, " ").slice(0, 200);
  return `it is damaged (${short}), move ${path} and ${path}-wal away to begin anew, or save what can be read with "sqlite3 ${path} .recover"`;
}

/**
 * Returns whether it has no tables yet, or those of a version without a name.
 */
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
    // There is none.
    return undefined;
  }
}
