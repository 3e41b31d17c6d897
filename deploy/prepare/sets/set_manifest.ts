/**
 * The manifest of a prepared set: its form and its files of records.
 *
 * ```json
 * {"version": 1, "form": "jsonl", "records": 2,
 *  "shards": [{"file": "data-00000.jsonl", "records": 2}]}
 * ```
 *
 * It lists only files that are whole, so it is correct at every moment of a
 * run. The form `emu3` has `list/train.json` in its place.
 *
 * @module
 */

import { join } from "node:path";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { SHARD_FORMS, type ShardForm } from "../data_formats.ts";
import { PreparedSetError } from "../preparation_error.ts";

/** Name of the manifest in the folder of a set. */
export const MANIFEST_FILE = "manifest.json";

/** A file of records. */
export interface SetShard {
  /** Name of the file, in the folder of the set. */
  readonly file: string;
  /** Number of its records. */
  readonly records: number;
}

/** The files of a set, in order. */
export interface SetManifest {
  /** Form of the files. */
  readonly form: ShardForm;
  /** Whole files. */
  readonly shards: readonly SetShard[];
}

/** Returns the text of a manifest. */
export function manifestText({ form, shards }: SetManifest): string {
  const records = shards.reduce((sum, shard) => sum + shard.records, 0);
  return `${
    JSON.stringify({ version: 1, form, records, shards }, undefined, 2)
  }\n`;
}

/**
 * Returns the manifest in `folder`; undefined if there is none.
 *
 * @throws {PreparedSetError} If it is damaged or of an unknown form.
 */
export async function readManifest(
  folder: string,
): Promise<SetManifest | undefined> {
  const path = join(folder, MANIFEST_FILE);
  const json = await readJsonFile(path);
  if (json === undefined) return undefined;
  const { form, shards } = json;
  const known = SHARD_FORMS.find((one) => one === form);
  if (known === undefined) {
    throw new PreparedSetError(
      path,
      `its form is not one of ${SHARD_FORMS.join(", ")}`,
    );
  }
  if (!Array.isArray(shards) || !shards.every(isShard)) {
    throw new PreparedSetError(path, "its list of shards is damaged");
  }
  return { form: known, shards };
}

/**
 * Returns the JSON object at `path`; undefined if there is no such file.
 *
 * @throws {PreparedSetError} If the file is not a JSON object.
 */
export async function readJsonFile(
  path: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const reason = readReason(cause);
    throw new PreparedSetError(path, reason, { cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return { ...json };
  }
  throw new PreparedSetError(path, "it is not a JSON object");
}

/** Names of shards contain no folder: a manifest is untrusted. */
function isShard(value: unknown): value is SetShard {
  if (typeof value !== "object" || value === null) return false;
  const { file, records } = value as Partial<SetShard>;
  return typeof file === "string" && /^[\w-]+\.[\w.-]+$/.test(file) &&
    Number.isSafeInteger(records) && records! > 0;
}
