/**
 * The reader of JSON: an array of objects, as the released script takes it, or
 * an object a line.
 *
 * ```json
 * [{"name": "a", "text": "a cat", "image": "a.png"}]
 * ```
 *
 * An array is parsed object by object, so that it may be larger than memory.
 *
 * @module
 */

import { JSONParser } from "@streamparser/json";
import { basename, dirname } from "node:path";
import { readReason } from "../../../lib/loading/read_reason.ts";
import { PreparationError } from "../preparation_error.ts";
import { asFields } from "./as_text.ts";
import { chooseColumns, type Columns } from "./columns.ts";
import { InputStream, TEXT_CHUNK_BYTES } from "./input_file.ts";
import { rowRecord } from "./row_record.ts";
import {
  type ColumnNames,
  RecordError,
  type RecordSource,
  type SourceRecord,
} from "./source.ts";

/** A value of the input, or the reason that it cannot be parsed. */
type Parsed = { readonly value: unknown } | { readonly fault: string };

/** Opens a JSON array, or JSON lines, at `path`. */
export function jsonSource(
  path: string,
  format: "json" | "jsonl",
  named: ColumnNames,
): RecordSource {
  let stream: InputStream | undefined;
  return {
    format,
    share: () => stream?.share ?? 0,
    async *records() {
      using opened = await InputStream.open(path, TEXT_CHUNK_BYTES);
      stream = opened;
      yield* recordsOf(
        path,
        format === "json" ? elements : lines,
        opened,
        named,
      );
    },
  };
}

async function* recordsOf(
  path: string,
  parse: (path: string, stream: InputStream) => AsyncIterable<Parsed>,
  stream: InputStream,
  named: ColumnNames,
): AsyncGenerator<SourceRecord> {
  const file = basename(path);
  let columns: Columns | undefined;
  let number = 0;
  for await (const parsed of parse(path, stream)) {
    number++;
    const where = {
      place: `${file}, record ${number}`,
      folder: dirname(path),
      otherwise: String(number),
    };
    const fields = "value" in parsed ? asFields(parsed.value) : undefined;
    if (fields === undefined) {
      const fault = "fault" in parsed ? parsed.fault : "it is no object";
      yield faulty(where.otherwise, where.place, fault);
      continue;
    }
    // Records may lack fields; the first one determines the columns.
    columns ??= chooseColumns(Object.keys(fields), named, where.place);
    yield rowRecord(fields, withOptional(columns, fields), where);
  }
}

/** Returns columns for a record that may have fields the first one lacks. */
function withOptional(
  columns: Columns,
  fields: Readonly<Record<string, unknown>>,
): Columns {
  const there = Object.keys(fields);
  if (!there.includes(columns.image!)) return columns;
  const own = chooseColumns(there, { image: columns.image }, "");
  return {
    image: columns.image,
    text: columns.text ?? own.text,
    name: columns.name ?? own.name,
    question: columns.question ?? own.question,
    answer: columns.answer ?? own.answer,
  };
}

/** Returns a record that cannot be used. */
export function faulty(
  name: string,
  place: string,
  fault: string,
): SourceRecord {
  return {
    name,
    place,
    text: undefined,
    question: undefined,
    answer: undefined,
    picture: () => Promise.reject(new RecordError(fault)),
  };
}

async function* lines(
  _: string,
  stream: InputStream,
): AsyncGenerator<Parsed> {
  for await (const line of stream.lines()) {
    if (line.trim() === "") continue;
    try {
      yield { value: JSON.parse(line) };
    } catch (error) {
      yield { fault: error instanceof Error ? error.message : String(error) };
    }
  }
}

async function* elements(
  path: string,
  stream: InputStream,
): AsyncGenerator<Parsed> {
  const parser = new JSONParser({ paths: ["$.*"], keepStack: false });
  const found: Parsed[] = [];
  parser.onValue = ({ value }) => void found.push({ value });
  try {
    for await (const chunk of stream.chunks()) {
      parser.write(chunk);
      yield* found.splice(0);
    }
    if (!parser.isEnded) parser.end();
  } catch (cause) {
    const reason = readReason(cause);
    // Records after the fault cannot be found, so none may be skipped.
    throw new PreparationError(
      `${path} is not a complete JSON array: ${reason}`,
      {
        cause,
      },
    );
  }
  yield* found.splice(0);
}
