/**
 * The reader of a file's parts, checked against its manifest.
 *
 * @module
 */

import { sha256Hex } from "../cache/stores/s3/s3_request.ts";
import type { ManifestFile } from "../cache/manifest/manifest.ts";
import { changed } from "./make_manifest.ts";

/**
 * Reads a part.
 *
 * @throws {PublishError} When its hash differs: no other bytes may be published
 * under that hash.
 */
export async function readPart(
  path: string,
  file: ManifestFile,
  index: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const start = index * file.partSize;
  const bytes = new Uint8Array(Math.min(file.partSize, file.size - start));
  using opened = await Deno.open(path);
  await opened.seek(start, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const count = await opened.read(bytes.subarray(at));
    if (count === null) throw changed(path);
    at += count;
  }
  if (await sha256Hex(bytes) !== file.partSha256[index]) throw changed(path);
  return bytes;
}
