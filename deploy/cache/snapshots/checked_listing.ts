/**
 * The bounds of what a place may list, whatever kind of place it is.
 *
 * What is listed becomes names of files, sizes of files and work to do here, so
 * nothing of it is believed that no checkpoint needs.
 *
 * @module
 */

import { isSafePath, refuseClashes } from "../manifest/safe_path.ts";
import { ManifestError } from "../manifest/manifest_fields.ts";
import {
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
  smallFirst,
} from "../net/remote.ts";
import { shown } from "../base/shown.ts";

/** Bytes of a listing, or of a page of one. */
export const LISTING_BYTES = 2 ** 24;

/** Files of a checkpoint. */
const MAX_FILES = 10_000;

/** Bytes of a file, and of all files: more than any disk that holds models. */
const MAX_FILE_BYTES = 2 ** 44;
const MAX_BYTES = 2 ** 47;

/** A name of a folder and of files here, with endings added to it. */
const COMMIT = /^(?!\.+$)[\w.-]{1,128}$/;

/** Names a content, and goes into a header. */
const ETAG = /^[\x20-\x7e]{0,1024}$/;

/**
 * A listing that can be worked with, small files first.
 *
 * @param place For people: whose listing it is.
 * @throws {RemoteError} Naming what no checkpoint has.
 */
export function checkedListing(
  place: string,
  commit: string,
  files: readonly RemoteFile[],
): RemoteSnapshot {
  const unusable = (reason: string) =>
    new RemoteError(
      `Cannot use what ${place} lists: ${reason}, name another source`,
      { type: "elsewhere" },
    );
  if (!COMMIT.test(commit)) {
    throw unusable(
      `commit ${
        shown(commit)
      } is not a name of 1 to 128 letters, digits, dots, dashes and underscores`,
    );
  }
  if (files.length > MAX_FILES) {
    throw unusable(`it has ${files.length} files, over ${MAX_FILES}`);
  }
  for (const { path, size, etag } of files) {
    if (!isSafePath(path)) {
      throw unusable(`the name ${shown(path)} is not safe for a file`);
    }
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_BYTES) {
      throw unusable(
        `${shown(path)} has ${size} bytes, expected 0 to ${MAX_FILE_BYTES}`,
      );
    }
    if (!ETAG.test(etag)) {
      throw unusable(`the entity tag ${shown(etag)} of ${shown(path)} is none`);
    }
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_BYTES) {
    throw unusable(`its files have ${bytes} bytes, over ${MAX_BYTES}`);
  }
  try {
    refuseClashes(files.map(({ path }) => path));
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    throw unusable(cause.reason);
  }
  return { commit, files: smallFirst(files) };
}
