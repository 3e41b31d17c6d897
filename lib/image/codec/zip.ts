/**
 * The adapter of fflate: writes several files into one archive.
 *
 * @module
 */

import { loadCodec } from "./load.ts";

/** Returns a ZIP of `files`, stored uncompressed, in their order. */
export async function zip(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array> {
  const { zipSync } = await loadCodec("fflate", () => import("fflate"));
  // The files are already compressed. The date is the format's minimum, so that
  // equal files give equal archives.
  return zipSync({ ...files }, { level: 0, mtime: "1980-01-01T00:00:00" });
}
