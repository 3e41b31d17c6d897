/**
 * The adapter of fflate: writes several files into one archive.
 *
 * @module
 */

import { loadCodec } from "./load.ts";

/** Returns a ZIP of PNGs, `frame_0000.png`, `frame_0001.png`, … */
export async function zipPngs(
  pngs: readonly Uint8Array[],
): Promise<Uint8Array> {
  return await zip(Object.fromEntries(pngs.map((png, i) => [
    `frame_${`${i}`.padStart(4, "0")}.png`,
    png,
  ])));
}

/** Returns a ZIP of `files`, stored uncompressed, in their order. */
export async function zip(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array> {
  const { zipSync } = await loadCodec("fflate", () => import("fflate"));
  // The files are already compressed. The date is the format's minimum, so that
  // equal files give equal archives.
  return zipSync({ ...files }, { level: 0, mtime: "1980-01-01T00:00:00" });
}
