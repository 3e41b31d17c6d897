/**
 * Outputs of preparation, as tests open them.
 *
 * @module
 */

import {
  type OutputOptions,
  PreparedOutput,
} from "../../deploy/prepare/output/prepared_output.ts";
import type { OutputForm } from "../../deploy/prepare/data_formats.ts";
import type { SetSettings } from "../../deploy/prepare/output/set_settings.ts";

/** Forms of output. */
export const FORMS: readonly OutputForm[] = [
  "emu3",
  "jsonl",
  "parquet",
  "webdataset",
];

/** Returns the settings of a set. */
export function settingsOf(
  form: OutputForm,
  changes: Partial<SetSettings> = {},
): SetSettings {
  return {
    input: "/in",
    form,
    shard: undefined,
    resize: "released",
    "image_area": 16384,
    tokenizer: { name: "tiny" },
    ...changes,
  };
}

/** Opens an output in small files. */
export async function openOutput(
  folder: string,
  form: OutputForm,
  options: Partial<OutputOptions> = {},
): Promise<PreparedOutput> {
  return await PreparedOutput.open(folder, {
    settings: settingsOf(form),
    shardSize: 2,
    retryErrors: false,
    skipDuplicates: false,
    ...options,
  });
}
