/**
 * The same records in every format of input that preparation reads.
 *
 * @module
 */

import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { packTar } from "modern-tar";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** A record with its picture's file. */
export interface InputRecord {
  readonly name: string;
  readonly text: string;
  readonly picture: Uint8Array<ArrayBuffer>;
}

/** Writes an input into a folder, and returns its path. */
export type InputWriter = (
  folder: TemporaryFolder,
  records: readonly InputRecord[],
) => Promise<string> | string;

/** The writers by the name of their format. */
export const INPUT_WRITERS: Readonly<Record<string, InputWriter>> = {
  folder: (folder, records) => {
    for (const { name, text, picture } of records) {
      folder.write(`pictures/${name}.png`, picture);
      folder.write(`pictures/${name}.txt`, `${text}\n`);
    }
    return `${folder.path}/pictures`;
  },
  json: (folder, records) =>
    folder.write("data.json", JSON.stringify(rows(folder, records), null, 1)),
  jsonl: (folder, records) =>
    folder.write(
      "data.jsonl",
      rows(folder, records).map((row) => `${JSON.stringify(row)}\n`).join(""),
    ),
  csv: (folder, records) =>
    folder.write(
      "data.csv",
      table(folder, records, ",", (text) => `"${text.replaceAll('"', '""')}"`),
    ),
  tsv: (folder, records) =>
    folder.write("data.tsv", table(folder, records, "\t", (text) => text)),
  webdataset: async (folder, records) => {
    const entries = records.flatMap(({ name, text, picture }) => [
      tarEntry(`${name}.png`, picture),
      tarEntry(`${name}.txt`, new TextEncoder().encode(text)),
      tarEntry(`${name}.json`, new TextEncoder().encode('{"width": 1}')),
    ]);
    return folder.write("data.tar", await packTar(entries));
  },
  parquet: (folder, records) => {
    folder.write("set/data/train-00000-of-00001.parquet", parquet(records));
    return `${folder.path}/set`;
  },
};

function rows(folder: TemporaryFolder, records: readonly InputRecord[]) {
  return records.map(({ name, text, picture }) => {
    folder.write(`files/${name}.png`, picture);
    return { name, text, image: `files/${name}.png` };
  });
}

function table(
  folder: TemporaryFolder,
  records: readonly InputRecord[],
  delimiter: string,
  quoted: (text: string) => string,
): string {
  const lines = [["name", "caption", "file_name"]];
  for (const { name, text, image } of rows(folder, records)) {
    lines.push([name, text, image].map(quoted));
  }
  return lines.map((line) => `${line.join(delimiter)}\r\n`).join("");
}

function tarEntry(name: string, body: Uint8Array) {
  return {
    header: { name, size: body.length, type: "file" as const },
    body,
  };
}

/** Returns a Parquet file as Hugging Face's datasets are stored. */
export function parquet(
  records: readonly InputRecord[],
): Uint8Array<ArrayBuffer> {
  const columnData: ColumnSource[] = [
    {
      name: "image",
      data: records.map(({ name, picture }) => ({
        bytes: picture,
        path: `${name}.png`,
      })),
    },
    { name: "text", data: records.map(({ text }) => text) },
  ];
  return new Uint8Array(parquetWriteBuffer({
    columnData,
    rowGroupSize: 2,
    schema: [
      { name: "root", num_children: 2 },
      { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      {
        name: "path",
        type: "BYTE_ARRAY",
        converted_type: "UTF8",
        repetition_type: "OPTIONAL",
      },
      {
        name: "text",
        type: "BYTE_ARRAY",
        converted_type: "UTF8",
        repetition_type: "OPTIONAL",
      },
    ],
  }));
}
