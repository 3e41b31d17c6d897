/**
 * The JSONL form of prepared records: one object a line, codes as rows of
 * numbers.
 *
 * ```json
 * {"key": "a", "text": "a cat", "height": 1, "width": 2, "codes": [[7, 9]]}
 * ```
 *
 * @module
 */

import type { PreparedRecord } from "../../../lib/tuning/records.ts";
import { PreparedSetError } from "../preparation_error.ts";
import { checkedRecord } from "./checked_record.ts";
import { type FileSlice, openToRead, readSlice } from "./file_slice.ts";

/** A file of records, read one at a time. */
export interface OpenShard {
  /** Returns the record at `index` of the file. */
  readonly read: (index: number) => Promise<PreparedRecord>;
}

/** Returns the line of a record, without a line feed. */
export function jsonLine(record: PreparedRecord): string {
  const { key, text, height, width, codes, question, answer } = record;
  const rows = Array.from(
    { length: height },
    (_, row) => [...codes.subarray(row * width, (row + 1) * width)],
  );
  return JSON.stringify({
    ...{ key, text, question, answer, height, width, codes: rows },
  });
}

/**
 * Returns the record of a line.
 *
 * @throws {SyntaxError} If it is no such record.
 */
export function recordOfLine(line: string): PreparedRecord {
  const fields = JSON.parse(line);
  const rows: unknown = fields?.codes;
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw new SyntaxError("a record has no codes");
  }
  return checkedRecord({ ...fields, codes: rows.flat() });
}

/** Opens a shard; its lines are found once, then read by their offset. */
export async function openJsonlShard(path: string): Promise<OpenShard> {
  const lines = await linesOf(path);
  return {
    read: async (index) => {
      const bytes = await readSlice(path, lines[index]!);
      try {
        return recordOfLine(new TextDecoder().decode(bytes));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new PreparedSetError(path, `line ${index + 1}: ${reason}`, {
          cause,
        });
      }
    },
  };
}

const LINE_FEED = 10;

async function linesOf(path: string): Promise<readonly FileSlice[]> {
  using file = await openToRead(path);
  const lines: FileSlice[] = [];
  const part = new Uint8Array(2 ** 16);
  let start = 0;
  for (let at = 0;;) {
    const count = await file.read(part);
    if (count === null) break;
    for (
      let i = part.indexOf(LINE_FEED);
      i >= 0 && i < count;
      i = part.indexOf(LINE_FEED, i + 1)
    ) {
      lines.push({ start, length: at + i - start });
      start = at + i + 1;
    }
    at += count;
  }
  return lines;
}
