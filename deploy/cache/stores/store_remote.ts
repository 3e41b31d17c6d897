/**
 * The remote over an object store, for downloads of checkpoints.
 *
 * If the prefix has a manifest, that lists the files; otherwise the objects
 * under the prefix are the files. A publication in progress is neither: its
 * mark stays at the prefix until the manifest is written.
 *
 * @module
 */

import { type Manifest, MANIFEST_FILE } from "../manifest/manifest.ts";
import { checkedListing } from "../snapshots/checked_listing.ts";
import { decisiveFile } from "../snapshots/required_files.ts";
import {
  type ByteRange,
  type Remote,
  RemoteError,
  type RemoteFile,
  type RemoteSnapshot,
} from "../net/remote.ts";
import { createHash } from "node:crypto";
import { rangeBody } from "./answer.ts";
import type { ListedObject, ObjectStore } from "./object_store.ts";
import { snapshotOf, usableManifest } from "./remote_manifest.ts";

/** Name of the mark at a prefix while a publication is in progress. */
export const UNFINISHED_FILE = "manifest.json.unfinished";

/** A prefix of a bucket as a place to download from. */
export class StoreRemote implements Remote {
  readonly #store: ObjectStore;
  /** Versions that files of a manifest are pinned to after their first read. */
  readonly #versions = new Map<string, string>();

  /** Creates a remote that reads from `store`. */
  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Name of the place, for messages. */
  get place(): string {
    return this.#store.place;
  }

  /** Lists the current content. */
  async list(signal: AbortSignal): Promise<RemoteSnapshot> {
    this.#versions.clear();
    const manifest = await readManifest(this.#store, signal);
    if (manifest !== undefined) return snapshotOf(manifest, this.place);
    const files = filesOf(this.place, await this.#store.list(signal));
    return checkedListing(this.place, commitOf(files), files);
  }

  /** Reads the bytes of `range`, of the content that was listed. */
  async read(
    file: RemoteFile,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { path, size } = file;
    if (range.end === range.start) return new Blob([]).stream();
    // A manifest has no versions: the first one read is pinned.
    const version = file.sha256 === undefined
      ? file.etag
      : this.#versions.get(path);
    const answer = await this.#store.get(path, { range, version }, signal);
    const context = { what: `read "${path}" of ${this.place}`, access: "" };
    const body = await rangeBody(context, answer, range, size);
    const seen = this.#store.versionOf(answer);
    if (seen !== undefined && !this.#versions.has(path)) {
      this.#versions.set(path, seen);
    }
    return body;
  }
}

/**
 * Returns the manifest at a prefix; undefined if there is none.
 *
 * @throws {RemoteError} When the manifest is unusable.
 */
export async function readManifest(
  store: ObjectStore,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const written = await store.text(MANIFEST_FILE, signal);
  return written === undefined
    ? undefined
    : usableManifest(written, store.place);
}

function filesOf(
  place: string,
  objects: readonly ListedObject[],
): RemoteFile[] {
  const unusable = (reason: string) =>
    new RemoteError(`Cannot use ${place}: ${reason}`, { type: "elsewhere" });
  if (objects.some(({ path }) => path === UNFINISHED_FILE)) {
    throw unusable(
      "its publication is in progress or was interrupted; complete it with deno task models publish",
    );
  }
  const files: RemoteFile[] = [];
  for (const { path, size, etag } of objects) {
    // Placeholder objects that consoles create for empty folders.
    if (path === "" || path.endsWith("/")) continue;
    files.push({ path, size, sha256: undefined, etag });
  }
  if (decisiveFile(files.map(({ path }) => path)) === undefined) {
    throw unusable(
      `it has neither a ${MANIFEST_FILE} nor a config.json; check the prefix`,
    );
  }
  return files;
}

/** Returns a substitute for the commit of a source without commits. */
function commitOf(files: readonly RemoteFile[]): string {
  const hash = createHash("sha256");
  for (const { path, size, etag } of files) {
    hash.update(`${path}\0${size}\0${etag}\n`);
  }
  return hash.digest("hex").slice(0, 40);
}
