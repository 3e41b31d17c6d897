/**
 * The shared files: each is in memory once, as long as an answer uses it.
 *
 * @module
 */

const files = new Map<string, WeakRef<Uint8Array<ArrayBuffer>>>();

/**
 * Returns the content of a file of the program. Names are constants of the
 * program, so there are few.
 *
 * @throws {Deno.errors.NotFound} If there is none.
 */
export async function sharedFile(
  file: string | URL,
): Promise<Uint8Array<ArrayBuffer>> {
  const known = files.get(`${file}`)?.deref();
  if (known !== undefined) return known;
  const bytes = await Deno.readFile(file);
  // Another request may have read it meanwhile.
  const other = files.get(`${file}`)?.deref();
  if (other !== undefined) return other;
  files.set(`${file}`, new WeakRef(bytes));
  return bytes;
}
