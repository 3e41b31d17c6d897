/**
 * The manifest as downloads use it.
 *
 * @module
 */

import { type Manifest, parseManifest } from "../manifest/manifest.ts";
import { ManifestError } from "../manifest/manifest_fields.ts";
import { checkedListing } from "../snapshots/checked_listing.ts";
import { RemoteError, type RemoteSnapshot } from "../net/remote.ts";

/**
 * Parses the manifest in `written`.
 *
 * @param place Location of the manifest, for messages.
 * @throws {RemoteError} When it is unusable.
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
 * Returns the files of a manifest in the form that downloads use.
 *
 * @param place Location of the manifest, for messages.
 * @throws {RemoteError} When no checkpoint has such files.
 */
export function snapshotOf(manifest: Manifest, place: string): RemoteSnapshot {
  const files = manifest.files.map((
    { path, size, sha256, partSize, partSha256 },
  ) => ({
    path,
    size,
    sha256,
    // Equal content shares one blob in a cache, independent of its origin.
    etag: sha256,
    parts: { bytes: partSize, sha256: partSha256 },
  }));
  return checkedListing(place, manifest.revision, files);
}
