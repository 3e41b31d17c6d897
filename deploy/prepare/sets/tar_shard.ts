/**
 * The WebDataset form of prepared records: `key.npy`, and `key.json` with text,
 * question and answer, or `key.txt`.
 *
 * A shard is held in memory while it is open.
 *
 * @module
 */

import { unpackTar } from "modern-tar";
import { readNpy } from "../../../lib/npy.ts";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { asFields } from "../readers/as_text.ts";
import { checkedRecord } from "./checked_record.ts";
import type { OpenShard } from "./jsonl_shard.ts";
import { onShard } from "./parquet_shard.ts";

/** Opens a shard. */
export async function openTarShard(path: string): Promise<OpenShard> {
  return await onShard(path, async () => {
    const entries = await unpackTar(await Deno.readFile(path), {
      strict: true,
    });
    const records = new Map<string, Map<string, Uint8Array>>();
    for (const { header: { name }, data } of entries) {
      const dot = name.indexOf(".");
      const key = name.slice(0, dot);
      const files = records.get(key) ?? new Map();
      records.set(key, files.set(name.slice(dot + 1), data));
    }
    const keys = [...records.keys()];
    return {
      read: (index) =>
        onShard(path, () => {
          const key = keys[index];
          if (key === undefined) throw new SyntaxError("it is truncated");
          return Promise.resolve(recordOf(key, records.get(key)!));
        }),
    };
  });
}

function recordOf(
  key: string,
  files: ReadonlyMap<string, Uint8Array>,
): PreparedRecord {
  const npy = files.get("npy");
  if (npy === undefined) throw new SyntaxError(`record "${key}" has no .npy`);
  const { shape: [height, width], values } = readNpy(npy);
  const utf8 = (name: string) => new TextDecoder().decode(files.get(name));
  const fields = files.has("json")
    ? asFields(JSON.parse(utf8("json"))) ?? {}
    : {};
  const { text = utf8("txt"), question, answer } = fields;
  return checkedRecord({
    ...{ key, text, height, width, codes: values, question, answer },
  });
}
