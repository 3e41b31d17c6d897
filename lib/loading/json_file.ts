/**
 * A checkpoint's JSON files.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";

/**
 * The JSON at `path`, or undefined when there is no such file.
 *
 * @throws {CheckpointError} When the file is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(path, "it is not JSON", { cause });
  }
}

/** The text at `path`, or undefined when there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new CheckpointError(path, "it cannot be read", { cause });
  }
}

/**
 * What `parse` makes of the JSON at `path`; of `missing` when there is no such
 * file.
 *
 * @throws {CheckpointError} Naming the file, when there is neither, or `parse`
 * throws a `SyntaxError`.
 */
export async function parseJsonFile<T>(
  path: string,
  parse: (json: unknown) => T,
  missing?: unknown,
): Promise<T> {
  const found = await readJson(path);
  const json = found === undefined ? missing : found;
  if (json === undefined) {
    throw new CheckpointError(path, "there is no such file");
  }
  try {
    return parse(json);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CheckpointError(path, cause.message, { cause });
  }
}
