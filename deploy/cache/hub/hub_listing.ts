/**
 * The parser of a hub's listing: the commit, files and hashes of a revision.
 *
 * @module
 */

import { checkedListing } from "../snapshots/checked_listing.ts";
import {
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import { quoteText } from "../../../lib/escaped_text.ts";

/**
 * Returns the files of a checkpoint in a hub's response, small ones first.
 *
 * @param place Origin of the response, for messages.
 * @throws {RemoteError} When it is malformed, or holds unsafe paths.
 */
export function parseListing(text: string, place: string): RemoteSnapshot {
  const listing = record(parse(text, place));
  const commit = listing["sha"];
  const siblings = listing["siblings"];
  if (typeof commit !== "string" || !Array.isArray(siblings)) {
    throw unreadable(
      place,
      "the response is not that of a hub; check HF_ENDPOINT",
    );
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
      `the size or the hash of ${quoteText(path)} is missing or invalid`,
    );
  }
  return {
    path,
    size: bytes,
    // The tag of a large file is its SHA-256, checked above.
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
    // A truncated response, or the error page of a proxy.
    throw new RemoteError(
      `Cannot list ${place}: the response is not JSON`,
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

const WANTED = /\.(?:json|jinja|tiktoken|txt|model|safetensors)$/i;

/** Pattern of files to skip: weights for other programs, notes on training. */
const UNWANTED =
  /(?:^|\/)(?:onnx|openvino|coreml|flax|tf|runs|logs|checkpoint-\d+)\/|(?:^|\/)(?:README|requirements)\b|\.(?:bin|pt|pth|msgpack)\b|(?:^|\/)(?:training_args|trainer_state|optimizer)\b/i;

/** Returns true if a checkpoint may need the file at `path`. */
export function isWanted(path: string): boolean {
  return WANTED.test(path) && !UNWANTED.test(path);
}
