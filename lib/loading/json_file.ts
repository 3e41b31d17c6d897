/**
 * The reader of a checkpoint's JSON files.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";
import { refusePlaceholder } from "./placeholder.ts";
import { readReason } from "./read_reason.ts";

/**
 * The maximum size of a JSON file, in bytes: six times that of an index of
 * 100,000 tensors.
 */
const MAX_JSON_BYTES = 2 ** 26;

/**
 * The maximum size of a tokenizer's file, which contains the whole vocabulary,
 * in bytes.
 */
const MAX_TEXT_BYTES = 2 ** 27;

/** The maximum depth of nested lists and objects. */
const MAX_DEPTH = 64;

/**
 * Returns the JSON at `path`, or undefined if there is no such file.
 *
 * @throws {CheckpointError} If the file is not JSON, or exceeds the limits of
 * size and depth.
 */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readBytes(path, MAX_JSON_BYTES);
  if (bytes === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError(path, "it is not JSON", { cause });
  }
  if (isDeep(json)) {
    throw new CheckpointError(
      path,
      `it has more than ${MAX_DEPTH} levels of nested lists and objects`,
    );
  }
  return json;
}

/** Returns the text at `path`, or undefined if there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readBytes(path);
  return bytes && new TextDecoder().decode(bytes);
}

/**
 * Returns the bytes of the file at `path`, or undefined if there is none.
 *
 * @param most The maximum size in bytes.
 * @throws {CheckpointError} If it is larger, not a file, unreadable or a
 * placeholder.
 */
export async function readBytes(
  path: string,
  most: number = MAX_TEXT_BYTES,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    // Checked before opening, since opening a pipe blocks until its other end
    // is opened.
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) {
      throw new CheckpointError(path, "it is not a file");
    }
    if (size > most) {
      throw new CheckpointError(
        path,
        `it has ${size} bytes, more than the limit of ${most}`,
      );
    }
    const bytes = await Deno.readFile(path);
    refusePlaceholder(path, bytes);
    return bytes;
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const reason = `it cannot be read: ${readReason(cause)}`;
    throw new CheckpointError(path, reason, { cause });
  }
}

/** Returns true if lists and objects are nested deeper than `MAX_DEPTH`. */
function isDeep(json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null
        ? Object.values(value).filter((inner) => typeof inner === "object")
        : []
    );
  }
  return false;
}

/**
 * Parses the JSON at `path` by `parse`; returns `missing` if there is no such
 * file.
 *
 * @throws {CheckpointError} If there is neither, or `parse` throws a
 * `SyntaxError`; the message names the file.
 */
export async function parseJsonFile<T>(
  path: string,
  parse: (json: unknown) => T,
  missing?: unknown,
): Promise<T> {
  const found = await readJson(path);
  const json = found === undefined ? missing : found;
  if (json === undefined) {
    throw new CheckpointError(path, "the file does not exist");
  }
  return parseInFile(path, json, parse);
}

/**
 * Parses the JSON of the file at `path`, which was read before.
 *
 * @throws {CheckpointError} If `parse` throws a `SyntaxError`; the message
 * names the file.
 */
export function parseInFile<T>(
  path: string,
  json: unknown,
  parse: (json: unknown) => T,
): T {
  try {
    return parse(json);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CheckpointError(path, cause.message, { cause });
  }
}

/**
 * Returns `json` as a JSON object.
 *
 * @throws {SyntaxError} With `message`, if it is not an object.
 */
export function jsonObject(
  json: unknown,
  message: string = "it is not a JSON object",
): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new SyntaxError(message);
  }
  return { ...json };
}
