/**
 * The multipart parser (RFC 2046, RFC 7578): delimiters, and the parts of
 * forms.
 *
 * ```text
 * preamble │ CRLF --boundary CRLF │ headers CRLF CRLF content │ … │ CRLF --boundary--
 * ```
 *
 * Reads every byte at most twice. `Response.formData()` blocks the event loop
 * for half a second on 32 MiB and creates all parts before they can be counted;
 * the search of `@remix-run/multipart-parser` is quadratic for a boundary of
 * dashes.
 *
 * @module
 */

import { MAX_FORM_PARTS, MAX_PART_HEADER_BYTES } from "./body_limits.ts";
import { SLICE, turn } from "../metrics/event_loop.ts";
import { BodyTooComplexError, MalformedBodyError } from "./errors/errors.ts";

/** One part of a form. */
export interface FormPart {
  /** Name of the field. */
  readonly name: string;
  /** Name of the file; undefined for text. */
  readonly fileName: string | undefined;
  /** Media type; empty if unstated. */
  readonly type: string;
  /** Content, a view of the body. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A delimiter between parts. */
export interface Delimiter {
  /** Offset of the end of the content before the delimiter. */
  readonly start: number;
  /** Offset of the end of the boundary. */
  readonly end: number;
  /** True for the last delimiter. */
  readonly closes: boolean;
}

/** The characters of a boundary, by RFC 2046. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DASH = 0x2d;

/**
 * Returns the boundary that a Content-Type names; undefined without a valid
 * one.
 */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\//i.test(contentType)) return undefined;
  const boundary = parameters(contentType).get("boundary");
  return boundary !== undefined && BOUNDARY.test(boundary)
    ? boundary
    : undefined;
}

/**
 * Finds the delimiters of a body.
 *
 * @throws {BodyTooComplexError} If there are more parts than are accepted.
 */
export async function delimitersIn(
  bytes: Uint8Array<ArrayBuffer>,
  boundary: string,
): Promise<Delimiter[]> {
  const needle = new TextEncoder().encode(`\r\n--${boundary}`);
  const delimiters: Delimiter[] = [];
  // The first may be at the very beginning, without a line break.
  let at = startsWith(bytes, 0, needle.subarray(2))
    ? -2
    : await find(bytes, needle, 0);
  while (at < bytes.length) {
    const end = at + needle.length;
    const closes = bytes[end] === DASH && bytes[end + 1] === DASH;
    if (closes || lineEnd(bytes, end) !== undefined) {
      delimiters.push({ start: Math.max(0, at), end, closes });
    }
    if (closes) break;
    if (delimiters.length > MAX_FORM_PARTS) {
      throw new BodyTooComplexError(
        `it has more than ${MAX_FORM_PARTS} form parts`,
      );
    }
    at = await find(bytes, needle, end);
  }
  return delimiters;
}

/**
 * Parses a form.
 *
 * @throws {BodyTooComplexError} If it has more parts, or a part has longer
 * headers, than are accepted.
 * @throws {MalformedBodyError} If it is not multipart/form-data.
 */
export async function formParts(
  contentType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<FormPart[]> {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) {
    throw new MalformedBodyError(
      "its Content-Type has no boundary of 1 to 70 characters (RFC 2046)",
    );
  }
  const delimiters = await delimitersIn(bytes, boundary);
  if (!delimiters.at(-1)?.closes) {
    throw notAForm("its last boundary is missing");
  }
  return delimiters.slice(0, -1).map((delimiter, i) => {
    const start = lineEnd(bytes, delimiter.end)!;
    return formPart(bytes.subarray(start, delimiters[i + 1]!.start));
  });
}

/**
 * Parses a part.
 *
 * @param part Headers and content.
 */
function formPart(part: Uint8Array<ArrayBuffer>): FormPart {
  const end = headerEnd(part);
  const headers = new Map<string, string>();
  const text = new TextDecoder().decode(part.subarray(0, end));
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const disposition = headers.get("content-disposition") ?? "";
  const { name, fileName } = dispositionOf(disposition);
  return {
    name,
    fileName,
    type: headers.get("content-type") ?? "",
    content: part.subarray(end + 2),
  };
}

/** Returns the offset after the last line of headers and its line break. */
function headerEnd(part: Uint8Array): number {
  const blank = Uint8Array.of(CR, LF, CR, LF);
  if (startsWith(part, 0, blank.subarray(2))) return 0;
  const end = Math.min(part.length, MAX_PART_HEADER_BYTES);
  for (let at = 0; at < end; at++) {
    if (part[at] === CR && startsWith(part, at, blank)) return at + 2;
  }
  if (end === part.length) throw notAForm("a part has no headers");
  throw new BodyTooComplexError(
    `a part has more than ${MAX_PART_HEADER_BYTES} bytes of headers`,
  );
}

function dispositionOf(
  disposition: string,
): { name: string; fileName: string | undefined } {
  const found = parameters(disposition);
  const name = found.get("name");
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) {
    throw notAForm("a part has no name");
  }
  return { name, fileName: found.get("filename") };
}

/** Parses the parameters of a header by their names in lower case. */
function parameters(header: string): Map<string, string> {
  const found = new Map<string, string>();
  const pattern = /;\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
  for (const [, name, quoted, token] of header.matchAll(pattern)) {
    // Browsers escape by percent, others by backslash.
    const value = quoted?.replace(/\\(["\\])/g, "$1")
      .replace(/%(?:0A|0D|22)/gi, decodeURIComponent) ?? token;
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, value!);
  }
  return found;
}

/**
 * Returns the offset of `needle` at or after `from`, or the length of `bytes`
 * if there is none. Long bodies are searched one slice per turn of the event
 * loop.
 */
async function find(
  bytes: Uint8Array,
  needle: Uint8Array,
  from: number,
): Promise<number> {
  const last = bytes.length - needle.length;
  for (let start = from; start <= last; start += SLICE) {
    if (start > from) await turn();
    const end = Math.min(start + SLICE, last + 1);
    const found = findBetween(bytes, needle, start, end);
    if (found !== undefined) return found;
  }
  return bytes.length;
}

/**
 * Returns the offset of `needle` between `start` and `end`. Only its first byte
 * is CR, so a match that fails cannot hide another one.
 */
function findBetween(
  bytes: Uint8Array,
  needle: Uint8Array,
  start: number,
  end: number,
): number | undefined {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== CR) continue;
    let matched = 1;
    while (
      matched < needle.length && bytes[at + matched] === needle[matched]
    ) matched++;
    if (matched === needle.length) return at;
    at += matched - 1;
  }
  return undefined;
}

function startsWith(
  bytes: Uint8Array,
  at: number,
  prefix: Uint8Array,
): boolean {
  return prefix.every((byte, i) => bytes[at + i] === byte);
}

/**
 * Returns the end of a line that is only white space from `at`; undefined
 * otherwise.
 */
function lineEnd(bytes: Uint8Array, at: number): number | undefined {
  let end = at;
  while (bytes[end] === SPACE || bytes[end] === TAB) end++;
  return bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : undefined;
}

function notAForm(reason: string): MalformedBodyError {
  return new MalformedBodyError(
    `it does not match its Content-Type: ${reason}`,
  );
}
