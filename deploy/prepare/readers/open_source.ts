/**
 * The detection of an input's format.
 *
 * ```text
 * folder   *.tar → webdataset, *.parquet → parquet, metadata.jsonl or .csv →
 *          that table, pictures → folder
 * file     "PAR1" → parquet, "ustar" → webdataset, "[" → json, "{" → jsonl,
 *          a first line with tabs → tsv, with commas → csv
 * ```
 *
 * @module
 */

import { extname, join } from "node:path";
import { isSystemError, readReason } from "../../../lib/loading/read_reason.ts";
import { INPUT_FORMATS, type InputFormat } from "../data_formats.ts";
import { PreparationError } from "../preparation_error.ts";
import { csvSource } from "./csv_source.ts";
import { folderSource } from "./folder_source.ts";
import { firstBytes } from "./input_file.ts";
import { jsonSource } from "./json_source.ts";
import { parquetSource } from "./parquet_source.ts";
import type { ColumnNames, RecordSource, SourceRecord } from "./source.ts";
import { tarSource } from "./tar_source.ts";

/** Files of a folder that list its pictures, as Hugging Face names them. */
const TABLES = ["metadata.jsonl", "metadata.csv", "metadata.parquet"];

/** Bytes that show the format of a file. */
const HEAD_BYTES = 2 ** 16;

/**
 * Opens the input at `path`.
 *
 * @param format Format of it; undefined to recognize it.
 * @throws {PreparationError} If there is no input, or its format is unknown.
 */
export async function openSource(
  path: string,
  format: InputFormat | undefined,
  named: ColumnNames,
): Promise<RecordSource> {
  try {
    const source = (await Deno.stat(path)).isDirectory
      ? await folderAt(path, format, named)
      : fileAt(path, format ?? await formatOf(path), named);
    return { ...source, records: () => guarded(path, source) };
  } catch (error) {
    throw inputError(path, error);
  }
}

/** Yields the records of a source; errors of the system name the input. */
async function* guarded(
  path: string,
  source: RecordSource,
): AsyncGenerator<SourceRecord> {
  let count = 0;
  try {
    for await (const record of source.records()) {
      count++;
      yield record;
    }
  } catch (error) {
    throw inputError(path, error);
  }
  if (count === 0) throw new PreparationError(`${path} has no records`);
}

function inputError(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const reason = error instanceof Deno.errors.NotFound
    ? `there is no ${path}; name a folder or file of records`
    : `${path} cannot be read: ${readReason(error)}`;
  return new PreparationError(reason, { cause: error });
}

async function folderAt(
  folder: string,
  format: InputFormat | undefined,
  named: ColumnNames,
): Promise<RecordSource> {
  const files = await filesIn(folder);
  const table = TABLES.find((name) => files.includes(name));
  const having = (pattern: RegExp) =>
    files.filter((name) => pattern.test(name)).map((name) =>
      join(folder, name)
    );
  const tars = having(/\.(tar|tar\.gz|tgz)$/i);
  const parquets = having(/\.parquet$/i);
  if (format === "folder") return folderSource(folder);
  // Archives of img2dataset have Parquet files of metadata beside them.
  if (tars.length > 0 && (format ?? "webdataset") === "webdataset") {
    return tarSource(tars, named);
  }
  if (table !== undefined && format === undefined) {
    return await openSource(join(folder, table), undefined, named);
  }
  if (parquets.length > 0 && (format ?? "parquet") === "parquet") {
    return parquetSource(parquets, named);
  }
  if (format === undefined) return folderSource(folder);
  throw new PreparationError(`${folder} has no files of the format ${format}`);
}

/** Returns the names of the files in `folder` and in its `data`, sorted. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const under of ["", "data"]) {
    try {
      for await (const { name, isFile } of Deno.readDir(join(folder, under))) {
        if (isFile && !name.startsWith(".")) names.push(join(under, name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return names.sort();
}

function fileAt(
  path: string,
  format: InputFormat,
  named: ColumnNames,
): RecordSource {
  switch (format) {
    case "json":
    case "jsonl":
      return jsonSource(path, format, named);
    case "csv":
    case "tsv":
      return csvSource(path, format, named);
    case "webdataset":
      return tarSource([path], named);
    case "parquet":
      return parquetSource([path], named);
    case "folder":
      throw new PreparationError(`${path} is a file, not a folder of pictures`);
  }
}

/** Returns the format of the file at `path` by its content. */
async function formatOf(path: string): Promise<InputFormat> {
  const bytes = await firstBytes(path, HEAD_BYTES);
  const head = new TextDecoder("latin1").decode(bytes);
  if (head.startsWith("PAR1")) return "parquet";
  if (head.slice(257, 262) === "ustar" || /\.(tar|tgz|tar\.gz)$/i.test(path)) {
    return "webdataset";
  }
  if (/^([^]PNG\r\n|\xff\xd8\xff|GIF8|RIFF)/.test(head)) {
    throw new PreparationError(`${path} is a single picture; use its folder`);
  }
  if (bytes.length === 0) throw new PreparationError(`${path} is empty`);
  const text = head.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (text.startsWith("[")) return "json";
  if (text.startsWith("{")) return "jsonl";
  const [line = ""] = text.split("\n");
  if (extname(path).toLowerCase() === ".tsv" || line.includes("\t")) {
    return "tsv";
  }
  if (extname(path).toLowerCase() === ".csv" || line.includes(",")) {
    return "csv";
  }
  throw new PreparationError(
    `the format of ${path} is not recognized; set --format ${
      INPUT_FORMATS.join("|")
    }`,
  );
}
