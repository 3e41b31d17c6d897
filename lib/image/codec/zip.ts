/**
 * The one door to fflate: several files in one.
 *
 * @module
 */

import { loadCodec } from "./load.ts";

/** A ZIP of `files`, stored as they are, in their order. */
export async function zip(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array> {
  const { zipSync } = await loadCodec("fflate", () => import("fflate"));
  // What is zipped is compressed already. The date is the format's first, so
  // that the same files give the same bytes.
  return zipSync({ ...files }, { level: 0, mtime: "1980-01-01T00:00:00" });
}
