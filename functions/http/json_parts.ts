/**
 * The JSON assembler: joins parts without parsing or copying those that are
 * JSON already, so that a long answer costs no more than a short one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  piecesOfBase64,
  piecesOfBytes,
  piecesOfText,
} from "./connection/paced_body.ts";

/** A part: text or bytes to send unchanged, or bytes to send in base64. */
export type JsonPart =
  | string
  | Uint8Array<ArrayBuffer>
  | { readonly base64: Uint8Array<ArrayBuffer> };

/** Returns the parts of an object: `fields`, then one more member. */
export function withMember(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  value: readonly JsonPart[],
): JsonPart[] {
  const head = JSON.stringify(fields).slice(0, -1);
  return [`${head},${JSON.stringify(name)}:`, ...value, "}"];
}

/** Yields the pieces of the parts in the order in which they are sent. */
export function* piecesOf(
  parts: readonly JsonPart[],
): Generator<Uint8Array, void, undefined> {
  for (const part of parts) {
    if (typeof part === "string") yield* piecesOfText(part);
    else if (part instanceof Uint8Array) yield* piecesOfBytes(part);
    else yield* piecesOfBase64(part.base64);
  }
}

/** Returns the number of bytes of the sent parts. */
export function lengthOf(parts: readonly JsonPart[]): number {
  const lengths = parts.map((part) =>
    typeof part === "string"
      ? Buffer.byteLength(part)
      : part instanceof Uint8Array
      ? part.length
      : 4 * Math.ceil(part.base64.length / 3)
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

/**
 * Returns the base64 bytes and the type of every file in `json`: of each object
 * with adjacent members `b64_json` and `mime_type`.
 *
 * Quotes inside strings are escaped, so a quoted name is a member's name.
 */
export function filesIn(json: Uint8Array<ArrayBuffer>): FilePart[] {
  const bytes = bufferOf(json);
  const files: FilePart[] = [];
  for (let at = 0;;) {
    const start = bytes.indexOf(DATA, at);
    if (start < 0) return files;
    const from = start + DATA.length;
    const to = bytes.indexOf(QUOTE, from);
    const type = to + TYPE.length;
    const end = bytes.indexOf(QUOTE, type);
    files.push({
      base64: json.subarray(from, to),
      type: bytes.toString("latin1", type, end),
    });
    at = end;
  }
}

/** Returns true if an object of `json` has a list of this name. */
export function hasList(json: Uint8Array<ArrayBuffer>, name: string): boolean {
  return bufferOf(json).includes(`${JSON.stringify(name)}:[`);
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A file inside JSON. */
export interface FilePart {
  /** Bytes of the file in base64, in ASCII. */
  readonly base64: Uint8Array<ArrayBuffer>;
  /** Media type of the file. */
  readonly type: string;
}

const DATA = '"b64_json":"';
const TYPE = '","mime_type":"';
const QUOTE = '"';
