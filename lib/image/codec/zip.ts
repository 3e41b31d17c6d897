/**
 * The adapter of fflate: several files in one archive.
 *
 * @module
 */

import { loadCodec } from "./load.ts";

/** Returns a ZIP of `files`, stored uncompressed, in their order. */
export async function zip(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array> {
  const { zipSync } = await loadCodec("fflate", () => import("fflate"));
  // The files are compressed already. The date is the format's first, so that
  // the same files give the same bytes.
  return zipSync({ ...files }, { level: 0, mtime: "1980-01-01T00:00:00" });
}
