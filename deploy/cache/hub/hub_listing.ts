/**
 * What a hub says of a revision: its commit, its files and their hashes.
 *
 * @module
 */

import { checkedListing } from "../snapshots/checked_listing.ts";
import {
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import { shown } from "../base/shown.ts";
import { isWanted } from "./wanted_files.ts";

/**
 * The files of a checkpoint in a hub's answer, small ones first.
 *
 * @param place For people: whose answer it is.
 * @throws {RemoteError} When it is no such answer, or holds unsafe paths.
 */
export function parseListing(text: string, place: string): RemoteSnapshot {
  const listing = record(parse(text, place));
  const commit = listing["sha"];
  const siblings = listing["siblings"];
  if (typeof commit !== "string" || !Array.isArray(siblings)) {
    throw unreadable(place, "the answer is not a hub's");
  }
  const files = siblings.map(record).flatMap((sibling) => {
    const path = sibling["rfilename"];
    if (typeof path !== "string") throw unreadable(place, "a file has no name");
    return isWanted(path) ? [remoteFile(path, sibling, place)] : [];
  });
  return checkedListing(place, commit, files);
}

const GIT_HASH = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
const SHA256 = /^[0-9a-f]{64}$/;

function remoteFile(
  path: string,
  { size, blobId, lfs }: Readonly<Record<string, unknown>>,
  place: string,
): RemoteFile {
  const large = lfs === undefined || lfs === null ? undefined : record(lfs);
  const bytes = large?.["size"] ?? size;
  const sha256 = large?.["sha256"];
  const etag = large === undefined ? blobId : sha256;
  if (
    typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0 ||
    typeof etag !== "string" ||
    !(large === undefined ? GIT_HASH : SHA256).test(etag)
  ) {
    throw unreadable(
      place,
      `it does not say how large ${shown(path)} is, or its hash`,
    );
  }
  return {
    path,
    size: bytes,
    // A tag of a large file, which was looked at.
    sha256: large === undefined ? undefined : etag,
    ...large === undefined ? { gitHash: etag } : {},
    etag,
  };
}

function unreadable(place: string, reason: string): RemoteError {
  return new RemoteError(`Cannot list ${place}: ${reason}`, {
    type: "elsewhere",
  });
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Half an answer, or the page of a proxy that has no connection.
    throw new RemoteError(
      `Cannot list ${place}: the answer is no JSON`,
      { type: "retry", retryAfterMs: undefined },
      { cause },
    );
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}
