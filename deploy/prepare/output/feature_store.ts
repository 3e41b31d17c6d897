/**
 * The output in the released form: a `.pth` file a picture, and their list.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { writeWhole } from "../../cache/base/disk.ts";
import { FEATURE_FOLDER, LIST_FILE } from "../sets/emu3_set.ts";
import { writePth } from "../torch/write_pth.ts";
import { FeatureList } from "./feature_list.ts";
import { OUTPUT_REMEDY } from "./journal.ts";
import type { RecordStore, StoredState } from "./record_store.ts";

/** Opens the files in `folder`, with the records of earlier runs. */
export async function openFeatureStore(
  folder: string,
  { keys }: StoredState,
): Promise<RecordStore> {
  const features = join(folder, FEATURE_FOLDER);
  await Deno.mkdir(features, { recursive: true });
  await Deno.mkdir(join(folder, "list"), { recursive: true });
  const list = await FeatureList.open(
    join(folder, LIST_FILE),
    resolve(features),
    keys.map(({ key }) => `${key}.pth`),
  );
  let stored: string | undefined;
  return {
    add: async (record) => {
      const file = `${record.key}.pth`;
      const bytes = writePth(record, record.name);
      await writeWhole(join(features, file), bytes, OUTPUT_REMEDY);
      stored = file;
    },
    settle: async () => {
      if (stored !== undefined) await list.add(stored);
      stored = undefined;
    },
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(list[Symbol.dispose]()),
  };
}
