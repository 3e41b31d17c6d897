/**
 * The writer of files that readers see whole or not at all.
 *
 * @module
 */

/**
 * Writes `content` beside `path`, stores it durably and renames it to `path`; a
 * failure leaves the file that was there. Its folder must exist.
 *
 * @throws {Error} The system's error.
 */
export async function writeWholeFile(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const beside = `${path}.${crypto.randomUUID()}.incomplete`;
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  try {
    {
      using file = await Deno.open(beside, { write: true, createNew: true });
      for (let at = 0; at < bytes.length;) {
        at += await file.write(bytes.subarray(at));
      }
      await file.sync();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => undefined);
    throw error;
  }
}
