/**
 * A temporary file for a program that has to seek in its input.
 *
 * @module
 */

/** A file that only this user can read; it is removed on disposal. */
export interface TemporaryFile extends AsyncDisposable {
  /** Path of the file. */
  readonly path: string;
}

/** Writes `bytes` to a new file in the system's folder for temporary files. */
export async function temporaryFile(bytes: Uint8Array): Promise<TemporaryFile> {
  // Deno creates it with mode 0700.
  const folder = await Deno.makeTempDir({ prefix: "emu3_video_" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const path = `${folder}/video`;
  try {
    await Deno.writeFile(path, bytes, { mode: 0o600 });
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
