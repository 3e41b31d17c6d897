/**
 * A manifest as whoever downloads by it sees it.
 *
 * @module
 */

import { type Manifest, parseManifest } from "../manifest/manifest.ts";
import { ManifestError } from "../manifest/manifest_fields.ts";
import { checkedListing } from "../snapshots/checked_listing.ts";
import { RemoteError, type RemoteSnapshot } from "../net/remote.ts";

/**
 * The manifest that `written` is.
 *
 * @param place For people: where it is.
 * @throws {RemoteError} When it cannot be used.
 */
export function usableManifest(written: string, place: string): Manifest {
  try {
    return parseManifest(written);
  } catch (cause) {
    if (!(cause instanceof ManifestError)) throw cause;
    throw new RemoteError(
      `Cannot use ${place}: ${cause.message}`,
      { type: "elsewhere" },
      { cause },
    );
  }
}

/**
 * What a manifest lists, as a downloader wants it.
 *
 * @param place For people: where it is.
 * @throws {RemoteError} When no checkpoint is like that.
 */
export function snapshotOf(manifest: Manifest, place: string): RemoteSnapshot {
  const files = manifest.files.map((
    { path, size, sha256, partSize, partSha256 },
  ) => ({
    path,
    size,
    sha256,
    // Equal content has one blob in a cache, wherever it comes from.
    etag: sha256,
    parts: { bytes: partSize, sha256: partSha256 },
  }));
  return checkedListing(place, manifest.revision, files);
}
