/**
 * The reader of Parquet, as Hugging Face's datasets are stored: pictures as a
 * struct of bytes and path, or bytes alone, or paths.
 *
 * A row group is read at a time, so memory is that of the largest one.
 *
 * @module
 */

import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { basename, dirname, extname } from "node:path";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";
import { type SlicedFile, slicedFile } from "../sets/file_slice.ts";
import { chooseColumns } from "./columns.ts";
import { rowRecord } from "./row_record.ts";
import type { ColumnNames, RecordSource, SourceRecord } from "./source.ts";

/** Opens the files at `paths`, one after the other. */
export function parquetSource(
  paths: readonly string[],
  named: ColumnNames,
): RecordSource {
  let done = 0;
  let within = 0;
  return {
    format: "parquet",
    share: () => (done + within) / paths.length,
    async *records() {
      done = 0;
      for (const path of paths) {
        const share = (part: number) => within = part;
        yield* recordsOf(path, named, share);
        within = 0;
        done++;
      }
    },
  };
}

async function* recordsOf(
  path: string,
  named: ColumnNames,
  share: (part: number) => void,
): AsyncGenerator<SourceRecord> {
  const file = await slicedFile(path);
  const metadata = await onParquet(path, () => parquetMetadataAsync(file));
  const there = topColumns(metadata);
  const columns = chooseColumns(there, named, basename(path));
  const needed = [...new Set(Object.values(columns))]
    .filter((name) => name !== undefined);
  const total = Number(metadata.num_rows);
  const stem = basename(path, extname(path));
  const digits = String(total).length;
  let row = 0;
  for (const group of metadata.row_groups) {
    const end = row + Number(group.num_rows);
    const rows = await onParquet(
      path,
      () => rowsOf(file, metadata, { columns: needed, start: row, end }),
    );
    for (const fields of rows) {
      share(++row / total);
      yield rowRecord(fields, columns, {
        place: `${basename(path)}, row ${row}`,
        folder: dirname(path),
        otherwise: `${stem}-${String(row).padStart(digits, "0")}`,
      });
    }
  }
}

/** Returns the names of the columns at the top of the schema. */
function topColumns({ schema }: FileMetaData): readonly string[] {
  const names: string[] = [];
  // The schema is flat: each element is followed by all below it.
  const skip = (at: number): number => {
    let next = at + 1;
    for (let i = 0; i < (schema[at]?.num_children ?? 0); i++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) {
    names.push(schema[at]!.name);
  }
  return names;
}

async function rowsOf(
  file: SlicedFile,
  metadata: FileMetaData,
  { columns, start, end }: {
    readonly columns: string[];
    readonly start: number;
    readonly end: number;
  },
) {
  return await parquetReadObjects({
    ...{ file, metadata, columns, compressors },
    rowStart: start,
    rowEnd: end,
    // Pictures are bytes; columns of texts are marked as such.
    utf8: false,
  });
}

async function onParquet<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const reason = readReason(cause);
    throw new PreparationError(
      `${path} is not a complete Parquet file: ${reason}`,
      {
        cause,
      },
    );
  }
}
