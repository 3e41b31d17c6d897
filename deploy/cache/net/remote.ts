/**
 * A place on the network that keeps checkpoints, as the downloader sees it.
 *
 * ```text
 * hub     hf://org/name@revision     files of a commit
 * store   s3://bucket/prefix         objects under a prefix
 *         gs://bucket/prefix
 * web     https://host/path/         a manifest and what it lists
 * ```
 *
 * Each knows how to list what it has and how to read a range of it; when to ask
 * again, how many ranges at once and what is kept is the downloader's business.
 *
 * @module
 */

/** A file that a place has. */
export interface RemoteFile {
  /** Within the checkpoint, with `/`, such as `model.safetensors`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of the content in hex; undefined where the place does not say. */
  readonly sha256: string | undefined;
  /** Git's own hash of the content in hex, where that is what a place says. */
  readonly gitHash?: string;
  /** Hashes of its parts, where a place knows them. */
  readonly parts?: RemoteParts;
  /** What changes with the content: names the blob in a cache, unquoted. */
  readonly etag: string;
}

/** Parts of a file, each with a hash. */
export interface RemoteParts {
  /** Of each but the last. */
  readonly bytes: number;
  /** SHA-256 of each in hex, in order. */
  readonly sha256: readonly string[];
}

/** A checkpoint as it is at one moment. */
export interface RemoteSnapshot {
  /** The commit, or what stands for it where there are no commits. */
  readonly commit: string;
  /** All files, in the order in which they are wanted: small ones first. */
  readonly files: readonly RemoteFile[];
}

/** Small ones first: the configuration is wanted before the weights. */
export function smallFirst(files: readonly RemoteFile[]): RemoteFile[] {
  return [...files].sort((a, b) =>
    a.size - b.size || (a.path < b.path ? -1 : 1)
  );
}

/** Bytes of a file: the first, and the one after the last. */
export interface ByteRange {
  /** Of the first byte. */
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
}

/** A place on the network. */
export interface Remote {
  /** For people: where it is, without secrets. */
  readonly place: string;
  /**
   * What it has now.
   *
   * @throws {RemoteError} When it cannot be asked, or has no such checkpoint.
   */
  list(signal: AbortSignal): Promise<RemoteSnapshot>;
  /**
   * The bytes of `range`, as they come. Redirects are followed and answers
   * checked: what comes is of the range asked for of the content listed. A
   * connection may still end before its end; whoever reads counts.
   *
   * @throws {RemoteError} When they cannot be had.
   */
  read(
    file: RemoteFile,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}

/** What can be done about a failure. */
export type Remedy =
  /** Asking again may help, after `retryAfterMs` if that is said. */
  | { readonly type: "retry"; readonly retryAfterMs: number | undefined }
  /** The content is another than was listed: list again. */
  | { readonly type: "changed" }
  /** The server gives whole files only: read from the start. */
  | { readonly type: "whole" }
  /** Asking again is no use; another place may have it. */
  | { readonly type: "elsewhere" };

/** A place that did not give what was asked of it. */
export class RemoteError extends Error {
  /** Says what is the case and what would do; never a secret. */
  constructor(
    message: string,
    /** What can be done about it. */
    readonly remedy: Remedy,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RemoteError";
  }
}
