/**
 * The reader of CSV and TSV: a header with names of columns, then a record a
 * row.
 *
 * @module
 */

import { parse } from "csv-parse";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";
import { chooseColumns, type Columns } from "./columns.ts";
import { InputStream, TEXT_CHUNK_BYTES } from "./input_file.ts";
import { type Row, rowRecord } from "./row_record.ts";
import type { ColumnNames, RecordSource } from "./source.ts";

/** Opens the table at `path`. */
export function csvSource(
  path: string,
  format: "csv" | "tsv",
  named: ColumnNames,
): RecordSource {
  let stream: InputStream | undefined;
  return {
    format,
    share: () => stream?.share ?? 0,
    async *records() {
      using opened = await InputStream.open(path, TEXT_CHUNK_BYTES);
      stream = opened;
      let columns: Columns | undefined;
      let number = 0;
      for await (const row of rows(path, format, opened)) {
        columns ??= chooseColumns(Object.keys(row), named, basename(path));
        number++;
        yield rowRecord(row, columns, {
          place: `${basename(path)}, record ${number}`,
          folder: dirname(path),
          otherwise: String(number),
        });
      }
    },
  };
}

async function* rows(
  path: string,
  format: "csv" | "tsv",
  stream: InputStream,
): AsyncGenerator<Row> {
  const tabs = format === "tsv";
  const parser = parse({
    bom: true,
    columns: (names: readonly string[]) => names.map((name) => name.trim()),
    delimiter: tabs ? "\t" : ",",
    // Tab-separated files do not escape quotes.
    quote: tabs ? false : '"',
    relaxColumnCount: true,
    skipEmptyLines: true,
  });
  Readable.from(stream.chunks()).on("error", (error) => parser.destroy(error))
    .pipe(parser);
  try {
    for await (const row of parser) yield row;
  } catch (cause) {
    const reason = readReason(cause);
    throw new PreparationError(`${path} is no table: ${reason}`, { cause });
  }
}
