/**
 * The writers of files of records, by form.
 *
 * ```text
 * jsonl        a line a record
 * webdataset   key.npy u16 [h, w], key.txt, key.json
 * parquet      key, text, height, width, codes (u16 little-endian), question, answer
 * ```
 *
 * Equal records give equal files.
 *
 * @module
 */

import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { packTar, type TarEntry } from "modern-tar";
import { writeNpy } from "../../../lib/npy.ts";
import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { jsonLine } from "../sets/jsonl_shard.ts";
import type { ShardForm } from "../data_formats.ts";

/** A writer of files of one form. */
export interface ShardWriter {
  /** Extension of the files, with its dot. */
  readonly extension: string;
  /** Returns the file of `records`. */
  readonly write: (records: readonly PreparedRecord[]) => Promise<Uint8Array>;
}

/** The writers by form. */
export const SHARD_WRITERS: Readonly<Record<ShardForm, ShardWriter>> = {
  jsonl: {
    extension: ".jsonl",
    write: (records) => {
      const text = records.map((record) => `${jsonLine(record)}\n`).join("");
      return Promise.resolve(new TextEncoder().encode(text));
    },
  },
  webdataset: {
    extension: ".tar",
    write: (records) => packTar(records.flatMap(entriesOf)),
  },
  parquet: {
    extension: ".parquet",
    write: (records) => Promise.resolve(parquet(records)),
  },
};

/** Returns the three files of a record. */
function entriesOf(record: PreparedRecord): readonly TarEntry[] {
  const { key, text, question, answer, height, width, codes } = record;
  const entry = (extension: string, body: Uint8Array): TarEntry => ({
    header: {
      name: `${key}.${extension}`,
      size: body.length,
      type: "file",
      mtime: new Date(0),
    },
    body,
  });
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const json = JSON.stringify({ key, text, question, answer, height, width });
  return [
    entry("npy", writeNpy([height, width], Uint16Array.from(codes))),
    entry("txt", utf8(text)),
    entry("json", utf8(json)),
  ];
}

/**
 * Rows of a group: a reader that needs one record reads a megabyte of codes at
 * most.
 */
const GROUP_ROWS = 64;

function parquet(records: readonly PreparedRecord[]): Uint8Array {
  const columns: ColumnSource[] = [
    { name: "key", data: records.map(({ key }) => key), type: "STRING" },
    { name: "text", data: records.map(({ text }) => text), type: "STRING" },
    { name: "height", data: records.map((r) => r.height), type: "INT32" },
    { name: "width", data: records.map(({ width }) => width), type: "INT32" },
    {
      name: "codes",
      data: records.map(({ codes }) => littleEndian(codes)),
      type: "BYTE_ARRAY",
    },
    optional("question", records.map(({ question }) => question)),
    optional("answer", records.map(({ answer }) => answer)),
  ];
  return new Uint8Array(
    parquetWriteBuffer({ columnData: columns, rowGroupSize: GROUP_ROWS }),
  );
}

function optional(
  name: string,
  data: readonly (string | undefined)[],
): ColumnSource {
  return {
    name,
    data: data.map((text) => text ?? null),
    type: "STRING",
    nullable: true,
  };
}

function littleEndian(codes: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(2 * codes.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < codes.length; i++) view.setUint16(2 * i, codes[i]!, true);
  return bytes;
}
