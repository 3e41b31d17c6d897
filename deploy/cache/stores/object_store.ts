/**
 * Objects under a prefix of a bucket, as far as checkpoints need them.
 *
 * One for each kind of store knows its words: how to sign, what a list and an
 * error look like, how large files are sent. What a checkpoint is none of them
 * knows.
 *
 * @module
 */

import type { ManifestFile } from "../manifest/manifest.ts";
import type { ByteRange } from "../net/remote.ts";

/** An object that a list tells of. */
export interface ListedObject {
  /** After the prefix, with `/`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Changes with the content, may name a file, and can pin a read. */
  readonly etag: string;
}

/** What is wanted of an object. */
export interface Wanted {
  /** Only these bytes. */
  readonly range?: ByteRange;
  /** Only this version, an `etag` of a list or what an answer was of. */
  readonly version?: string | undefined;
}

/** What is known of an object without reading it. */
export interface KnownObject {
  /** In bytes. */
  readonly size: number;
  /** As its publisher noted it, if one did. */
  readonly sha256: string | undefined;
}

/** Where the parts of a file come from. */
export interface PartSource {
  /** What is sent. */
  readonly file: ManifestFile;
  /** Whether what an earlier attempt has sent was of the same content. */
  readonly resume: boolean;
  /** Reads a part. */
  read(index: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Hears of bytes that the store has. */
  onSent(bytes: number): void;
}

/** A bucket and a prefix. Every failure is a `RemoteError`. */
export interface ObjectStore {
  /** For people: `s3://bucket/prefix`. */
  readonly place: string;
  /** All objects under the prefix. */
  list(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** An object or a range of it; its body is not read yet. */
  get(path: string, wanted: Wanted, signal: AbortSignal): Promise<Response>;
  /** The text of a small object; undefined if there is none. */
  text(path: string, signal: AbortSignal): Promise<string | undefined>;
  /** What version an answer of {@linkcode ObjectStore.get} is of. */
  versionOf(answer: Response): string | undefined;
  /** What is known of an object; undefined if there is none. */
  find(path: string, signal: AbortSignal): Promise<KnownObject | undefined>;
  /** Writes a small object, all at once. */
  put(path: string, text: string, signal: AbortSignal): Promise<void>;
  /** Writes a file: there is all of it afterwards, or nothing. */
  send(source: PartSource, signal: AbortSignal): Promise<void>;
  /** Removes an object, if there is one. */
  remove(path: string, signal: AbortSignal): Promise<void>;
}
