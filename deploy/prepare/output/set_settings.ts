/**
 * The settings of a prepared set, shared by all of its records.
 *
 * They are written with the first run. A later run with other settings would
 * mix incompatible records, and is rejected.
 *
 * @module
 */

import { join } from "node:path";
import { writeWhole } from "../../cache/base/disk.ts";
import { PreparationError } from "../preparation_error.ts";
import type { OutputForm } from "../data_formats.ts";
import { readJsonFile } from "../sets/set_manifest.ts";
import { OUTPUT_REMEDY } from "./journal.ts";

/** The settings of a set, by the names of their file. */
export interface SetSettings {
  /** Path of the input. */
  readonly input: string;
  /** Form of the output. */
  readonly form: OutputForm;
  /** Part of the input, such as `0/4`; undefined for all. */
  readonly shard: string | undefined;
  /** Resizing of pictures. */
  readonly resize: string;
  /** Area of the first resize in pixels²; undefined without it. */
  readonly "image_area": number | undefined;
  /** The vision tokenizer. */
  readonly tokenizer: Readonly<Record<string, string | number>>;
}

/** Name of the file of settings in the folder of a set. */
export const SETTINGS_FILE = "settings.json";

/**
 * Writes the settings of a new set into `folder`, or compares them with those
 * of earlier runs.
 *
 * @throws {PreparationError} If one differs; names it.
 */
export async function keepSettings(
  folder: string,
  settings: SetSettings,
): Promise<void> {
  const path = join(folder, SETTINGS_FILE);
  const text = `${JSON.stringify({ version: 1, ...settings }, undefined, 2)}\n`;
  const before = await readJsonFile(path);
  if (before === undefined) return await writeWhole(path, text, OUTPUT_REMEDY);
  const now: Record<string, unknown> = JSON.parse(text);
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  for (const name of names) {
    const [old, given] = [before[name], now[name]].map((value) =>
      JSON.stringify(value) ?? "none"
    );
    if (old === given) continue;
    throw new PreparationError(
      `${folder} was created with ${name} ${old}, not ${given}; repeat that setting or choose another --out`,
    );
  }
}
