/**
 * The download of one file into a folder of blobs.
 *
 * ```text
 * blobs/<name>                    complete, checked, never written again
 *      /<name>.emu3.incomplete    at its full length, with holes
 *      /<name>.emu3.journal       the parts that are here
 * ```
 *
 * Other tools do not use the suffix: they take the length of a file named
 * `.incomplete` for its progress.
 *
 * @module
 */

import { join } from "node:path";
import { bringInParts, plain } from "./fetch_parts.ts";
import { bringWhole } from "./fetch_whole.ts";
import { expectedHash } from "../hashing/content_hash.ts";
import { onDisk } from "../base/disk.ts";
import type { FileOptions } from "../base/file_options.ts";
import { partBytesOf } from "./parts.ts";
import {
  RemoteError,
  type RemoteFile,
  type RemoteParts,
} from "../net/remote.ts";
import { blobName } from "../snapshots/hub_layout.ts";

/** Default size of the parts of a file. */
export const PART_BYTES: FileOptions["partBytes"] = partBytesOf;

/**
 * Downloads `file`, unless it is there.
 *
 * @throws {RemoteError} When its place does not provide it, or provides other
 * content.
 * @throws {DiskError} When the disk does not store it.
 */
export async function downloadFile(
  file: RemoteFile,
  options: FileOptions,
): Promise<void> {
  const name = blobName(file);
  const blob = join(options.blobs, name);
  const incomplete = `${blob}.emu3.incomplete`;
  const journal = `${blob}.emu3.journal`;
  const places = { incomplete, journal };
  const known = promisedParts(file, options.partBytes(file.size));
  const partBytes = known?.bytes ?? options.partBytes(file.size);
  const parted = { ...file, parts: known };
  // SHA-1 is not worth a thread: places without SHA-256 hold small files.
  const small = file.size <= partBytes || expectedHash(file)?.kind === "git";
  if (small) await bringWhole(file, places, options);
  else {
    try {
      await bringInParts(parted, places, partBytes, options);
    } catch (error) {
      const whole = error instanceof RemoteError &&
        error.remedy.type === "whole";
      if (!whole) throw error;
      await bringWhole(plain(parted), places, options);
    }
  }
  await onDisk(blob, () => Deno.rename(incomplete, blob));
  await Deno.remove(journal).catch(() => {});
}

/** Largest ratio between our part size and that of a place's part hashes. */
const PART_RATIO = 8;

/**
 * Returns the parts that a place has hashes of, unless their size is
 * unsuitable.
 */
function promisedParts(
  { parts, size }: RemoteFile,
  partBytes: number,
): RemoteParts | undefined {
  const usable = parts !== undefined &&
    parts.bytes >= partBytes / PART_RATIO &&
    parts.bytes <= partBytes * PART_RATIO &&
    parts.sha256.length === Math.ceil(size / parts.bytes);
  return usable ? parts : undefined;
}
