/**
 * The bounds of a listing, for every kind of place.
 *
 * A listing determines names and sizes of files and the work done here, so it
 * is accepted only within the bounds of real checkpoints.
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
import { quoteText } from "../../../lib/escaped_text.ts";

/** Bytes of a listing, or of a page of one. */
export const LISTING_BYTES = 2 ** 24;

/** Maximum number of files of a checkpoint. */
const MAX_FILES = 10_000;

/** Bytes of a file, and of all files: more than any disk for models has. */
const MAX_FILE_BYTES = 2 ** 44;
const MAX_BYTES = 2 ** 47;

/** Pattern of a commit: it names folders and files here, with suffixes. */
const COMMIT = /^(?!\.+$)[\w.-]{1,128}$/;

/** Pattern of an entity tag: it names content, and is sent in a header. */
const ETAG = /^[\x20-\x7e]{0,1024}$/;

/**
 * Checks a listing, and returns it with small files first.
 *
 * @param place Origin of the listing, for messages.
 * @throws {RemoteError} Naming the entry that is out of bounds.
 */
export function checkedListing(
  place: string,
  commit: string,
  files: readonly RemoteFile[],
): RemoteSnapshot {
  const unusable = (reason: string) =>
    new RemoteError(
      `Cannot use the listing of ${place}: ${reason}; choose another source`,
      { type: "elsewhere" },
    );
  if (!COMMIT.test(commit)) {
    throw unusable(
      `commit ${
        quoteText(commit)
      } is not a name of 1 to 128 letters, digits, dots, dashes and underscores`,
    );
  }
  if (files.length > MAX_FILES) {
    throw unusable(`it has ${files.length} files, over ${MAX_FILES}`);
  }
  for (const { path, size, etag } of files) {
    if (!isSafePath(path)) {
      throw unusable(`the file name ${quoteText(path)} is unsafe`);
    }
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_BYTES) {
      throw unusable(
        `${quoteText(path)} has ${size} bytes, expected 0 to ${MAX_FILE_BYTES}`,
      );
    }
    if (!ETAG.test(etag)) {
      throw unusable(
        `the entity tag ${quoteText(etag)} of ${quoteText(path)} is invalid`,
      );
    }
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_BYTES) {
    throw unusable(`its files have ${bytes} bytes, more than ${MAX_BYTES}`);
  }
  try {
    refuseClashes(files.map(({ path }) => path));
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    throw unusable(cause.reason);
  }
  return { commit, files: smallFirst(files) };
}
