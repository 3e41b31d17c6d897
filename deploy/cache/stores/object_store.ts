/**
 * The interface of an object store: objects under a prefix of a bucket.
 *
 * Each kind of store has one implementation with its protocol: signatures,
 * formats of lists and errors, uploads of large files. None of them depends on
 * the contents of a checkpoint.
 *
 * @module
 */

import type { ManifestFile } from "../manifest/manifest.ts";
import type { ByteRange } from "../net/remote.ts";

/** An object of a list. */
export interface ListedObject {
  /** Path after the prefix, with `/`. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Tag that changes with the content, may name a file, and can pin a read. */
  readonly etag: string;
}

/** The part and version of an object to read. */
export interface Wanted {
  /** Range of bytes; the whole object by default. */
  readonly range?: ByteRange;
  /**
   * Version to read: an `etag` of a list, or the version of an earlier
   * response.
   */
  readonly version?: string | undefined;
}

/** Metadata of an object, from a request without its body. */
export interface KnownObject {
  /** Size in bytes. */
  readonly size: number;
  /** SHA-256 that the publisher recorded, if any. */
  readonly sha256: string | undefined;
}

/** A source of the parts of a file. */
export interface PartSource {
  /** File to send. */
  readonly file: ManifestFile;
  /** True if an earlier attempt sent the same content. */
  readonly resume: boolean;
  /** Reads a part. */
  read(index: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Called with the number of bytes that the store has received. */
  onSent(bytes: number): void;
}

/** A bucket and a prefix. Every failure is a `RemoteError`. */
export interface ObjectStore {
  /** Name of the place, for messages: `s3://bucket/prefix`. */
  readonly place: string;
  /** Lists all objects under the prefix. */
  list(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** Requests an object or a range of it; its body is not read yet. */
  get(path: string, wanted: Wanted, signal: AbortSignal): Promise<Response>;
  /** Returns the text of a small object; undefined if there is none. */
  text(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** Returns the version in a response of {@linkcode ObjectStore.get}. */
  versionOf(answer: Response): string | undefined;
  /** Returns the metadata of an object; undefined if there is none. */
  find(path: string, signal: AbortSignal): Promise<KnownObject | undefined>;
  /** Writes a small object, all at once. */
  put(path: string, text: string, signal: AbortSignal): Promise<void>;
  /** Writes a file: afterwards the store has all of it, or nothing. */
  send(source: PartSource, signal: AbortSignal): Promise<void>;
  /** Removes an object, if there is one. */
  remove(path: string, signal: AbortSignal): Promise<void>;
}
