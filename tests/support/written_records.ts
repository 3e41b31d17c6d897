/**
 * The records of a file of JSON lines that another process writes.
 *
 * @module
 */

/**
 * Returns the records that are written as a whole; a line without its end is
 * still being written. Empty if there is no file.
 *
 * @throws {SyntaxError} If a whole line is not JSON.
 */
// deno-lint-ignore no-explicit-any
export function writtenRecords(path: string): any[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}
