/**
 * The output files of a command, written atomically: each is written under a
 * temporary name first.
 *
 * @module
 */

import { dirname, extname } from "node:path";
import { writeWholeFile } from "../../lib/loading/whole_file.ts";
import { STANDARD } from "./input_files.ts";

/**
 * Creates the folder of `path`, so that an unwritable one fails before work
 * starts.
 *
 * @throws {Error} If it fails, naming the path and the reason.
 */
export async function makeFolder(path: string): Promise<void> {
  if (path === STANDARD) return;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
  } catch (cause) {
    throw notWritten(path, cause);
  }
}

/**
 * Writes `bytes` to `path` and creates its folders; `-` is standard output.
 *
 * @throws {Error} If it fails, naming the path and the reason.
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  if (path === STANDARD) {
    const writer = Deno.stdout.writable.getWriter();
    await writer.write(bytes);
    writer.releaseLock();
    return;
  }
  await makeFolder(path);
  try {
    await writeWholeFile(path, bytes);
  } catch (error) {
    throw notWritten(path, error);
  }
}

function notWritten(path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot write ${path}: ${reason}`, { cause });
}

/**
 * Returns the path of output `index` of `count`: `path` itself for a single
 * output, else with a number before the extension.
 */
export function numbered(path: string, index: number, count: number): string {
  if (count === 1 || path === STANDARD) return path;
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  const digits = `${count}`.length;
  return `${stem}-${`${index + 1}`.padStart(digits, "0")}${extension}`;
}
