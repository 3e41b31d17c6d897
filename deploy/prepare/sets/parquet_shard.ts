/**
 * The Parquet form of prepared records, read by row group.
 *
 * @module
 */

import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { MISSING_PART, PreparedSetError } from "../preparation_error.ts";
import { checkedRecord } from "./checked_record.ts";
import { slicedFile } from "./file_slice.ts";
import { placeIn, startsOf } from "./joined_sets.ts";
import type { OpenShard } from "./jsonl_shard.ts";

const COLUMNS = [
  "key",
  "text",
  "height",
  "width",
  "codes",
  "question",
  "answer",
];

/** Opens a shard; the row group read last is kept. */
export async function openParquetShard(path: string): Promise<OpenShard> {
  return await onShard(path, async () => {
    const file = await slicedFile(path);
    const metadata = await parquetMetadataAsync(file);
    const starts = startsOf(
      metadata.row_groups.map((group) => Number(group.num_rows)),
    );
    const there = new Set(metadata.schema.map(({ name }) => name));
    const columns = COLUMNS.filter((name) => there.has(name));
    let held: { group: number; rows: Promise<Row[]> } | undefined;
    return {
      read: (index) =>
        onShard(path, async () => {
          const { part: group, within } = placeIn(starts, index);
          if (held?.group !== group) {
            const rows = parquetReadObjects({
              ...{ file, metadata, columns, compressors, utf8: false },
              rowStart: starts[group]!,
              rowEnd: starts[group + 1]!,
            });
            // The awaiting caller gets the error.
            rows.catch(() => held = undefined);
            held = { group, rows };
          }
          return recordOf((await held.rows)[within]!);
        }),
    };
  });
}

type Row = Readonly<Record<string, unknown>>;

function recordOf(row: Row): PreparedRecord {
  const { key, text, height, width, codes, question, answer } = row;
  if (!(codes instanceof Uint8Array) || codes.length % 2 !== 0) {
    throw new SyntaxError("a record has no codes");
  }
  const view = new DataView(codes.buffer, codes.byteOffset, codes.length);
  const values = Uint16Array.from(
    { length: codes.length / 2 },
    (_, i) => view.getUint16(2 * i, true),
  );
  return checkedRecord({
    ...{ key, text, height, width, codes: values, question, answer },
  });
}

/** Runs `work`, and names the file in its errors. */
export async function onShard<T>(
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PreparedSetError || cause instanceof RangeError) {
      throw cause;
    }
    const reason = readReason(cause, MISSING_PART);
    throw new PreparedSetError(path, reason, { cause });
  }
}
