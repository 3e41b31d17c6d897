/**
 * The JSON reader: measures the structure of a body before it is parsed.
 *
 * ```text
 * bytes ─▶ count (slices) ─▶ decode (slices) ─▶ JSON.parse
 *            └ too much: 413
 * ```
 *
 * @module
 */

import {
  MAX_JSON_BARE_BYTES,
  MAX_JSON_DEPTH,
  MAX_JSON_ESCAPES,
  MAX_JSON_NODES,
  MAX_JSON_VALUES,
} from "./body_limits.ts";
import { SLICE, turn, turnFor } from "../metrics/event_loop.ts";
import { BodyTooComplexError, MalformedBodyError } from "./errors/errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Parses a JSON body. Bodies longer than a slice are read in several turns of
 * the event loop.
 *
 * @throws {BodyTooComplexError} If it has more structure than is accepted.
 * @throws {MalformedBodyError} If it is not UTF-8, or not JSON.
 */
export async function parseJson(bytes: Uint8Array): Promise<unknown> {
  const structure = new StructureLimit();
  for (let start = 0; start < bytes.length; start += SLICE) {
    if (start > 0) await turn();
    structure.add(bytes.subarray(start, start + SLICE));
  }
  const text = await decodeBody(bytes);
  await turnFor(bytes);
  return parseText(text);
}

/**
 * Parses JSON that is text already, such as a field of a form.
 *
 * @throws {BodyTooComplexError} If it has more structure than is accepted.
 * @throws {MalformedBodyError} If it is not JSON.
 */
export function parseJsonText(text: string): unknown {
  new StructureLimit().add(new TextEncoder().encode(text));
  return parseText(text);
}

/** Returns true if a JSON value consists of at most `most` values. */
export function hasAtMost(most: number, value: unknown): boolean {
  const waiting: unknown[] = [value];
  let count = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (++count > most) return false;
    if (typeof next !== "object" || next === null) continue;
    const children = Object.values(next);
    if (children.length > most) return false;
    // Not spread: each argument would take space on the stack.
    for (const child of children) waiting.push(child);
  }
  return true;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * A counter of JSON structure. It does not check grammar: malformed JSON is
 * counted like JSON.
 */
class StructureLimit {
  #values = 1;
  #nodes = 0;
  #depth = 0;
  #escapes = 0;
  #bare = 0;
  #inString = false;
  #escaped = false;

  /**
   * Counts the structure of the next bytes.
   *
   * @throws {BodyTooComplexError} If a limit is exceeded; thrown at once.
   */
  add(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const start = at;
      if (this.#inString) at = this.#skipString(bytes, at);
      else {
        at = this.#skipBare(bytes, at);
        this.#bare += at - start;
      }
      this.#check();
    }
  }

  /** Returns the offset after the closing quote of the string. */
  #skipString(bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (byte === BACKSLASH) {
        this.#escapes++;
        at++;
      }
    }
    this.#escaped = at > bytes.length;
    return bytes.length;
  }

  /** Returns the offset after the opening quote of the next string. */
  #skipBare(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at++) {
      switch (bytes[at]) {
        case QUOTE:
          this.#nodes++;
          this.#inString = true;
          return at + 1;
        case COMMA:
          this.#values++;
          break;
        case OPEN_BRACKET:
        case OPEN_BRACE:
          this.#nodes++;
          this.#values++;
          if (++this.#depth > MAX_JSON_DEPTH) return at + 1;
          break;
        case CLOSE_BRACKET:
        case CLOSE_BRACE:
          this.#depth--;
          break;
      }
    }
    return bytes.length;
  }

  #check(): void {
    requireAtMost(
      MAX_JSON_DEPTH,
      this.#depth,
      "nested arrays and objects",
    );
    requireAtMost(
      MAX_JSON_NODES,
      this.#nodes,
      "JSON strings, arrays and objects",
    );
    requireAtMost(MAX_JSON_VALUES, this.#values, "JSON values");
    requireAtMost(MAX_JSON_ESCAPES, this.#escapes, "escapes in JSON strings");
    requireAtMost(
      MAX_JSON_BARE_BYTES,
      this.#bare,
      "bytes of JSON outside strings",
    );
  }
}

function requireAtMost(most: number, count: number, things: string): void {
  if (count <= most) return;
  throw new BodyTooComplexError(`it has more than ${most} ${things}`);
}

async function decodeBody(bytes: Uint8Array): Promise<string> {
  try {
    return await decodeUtf8(bytes, { fatal: true });
  } catch (cause) {
    throw new MalformedBodyError("it is not UTF-8", { cause });
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body, so it is not passed on.
    throw new MalformedBodyError("it is not JSON");
  }
}
