/**
 * The interface of a network source of checkpoints.
 *
 * ```text
 * hub     hf://org/name@revision     files of a commit
 * store   s3://bucket/prefix         objects under a prefix
 *         gs://bucket/prefix
 * web     https://host/path/         a manifest and the listed files
 * ```
 *
 * Each remote lists its files and reads ranges of them; the downloader decides
 * on retries, on the number of concurrent ranges and on stored data.
 *
 * @module
 */

/** A function like `fetch`, perhaps over its own connections. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** A file of a remote place. */
export interface RemoteFile {
  /** Path within the checkpoint, with `/`, such as `model.safetensors`. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * SHA-256 of the content in hex; undefined if the place does not provide it.
   */
  readonly sha256: string | undefined;
  /** Git's hash of the content in hex, if the place provides that. */
  readonly gitHash?: string;
  /** Hashes of the parts, if the place provides them. */
  readonly parts?: RemoteParts;
  /**
   * Tag that changes with the content: the name of the blob in a cache,
   * unquoted.
   */
  readonly etag: string;
}

/** Parts of a file, each with a hash. */
export interface RemoteParts {
  /** Bytes of each part but the last. */
  readonly bytes: number;
  /** SHA-256 of each part in hex, in order. */
  readonly sha256: readonly string[];
}

/** A checkpoint at one moment. */
export interface RemoteSnapshot {
  /** Commit, or a substitute for sources without commits. */
  readonly commit: string;
  /** All files in download order: small ones first. */
  readonly files: readonly RemoteFile[];
}

/**
 * Returns files in download order: the small configuration precedes the
 * weights.
 */
export function smallFirst(files: readonly RemoteFile[]): RemoteFile[] {
  return [...files].sort((a, b) =>
    a.size - b.size || (a.path < b.path ? -1 : 1)
  );
}

/** A range of bytes in a file. */
export interface ByteRange {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset after the last byte. */
  readonly end: number;
}

/** A place on the network. */
export interface Remote {
  /** Name of the place, for messages, without secrets. */
  readonly place: string;
  /**
   * Lists the current content.
   *
   * @throws {RemoteError} When it is unreachable, or has no such checkpoint.
   */
  list(signal: AbortSignal): Promise<RemoteSnapshot>;
  /**
   * Streams the bytes of `range`. Redirects are followed and responses checked:
   * the bytes belong to that range of the listed content. The connection may
   * still end early; callers count the bytes.
   *
   * @throws {RemoteError} When they are unavailable.
   */
  read(
    file: RemoteFile,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}

/** A remedy for a failure. */
export type Remedy =
  /** A retry may help, after `retryAfterMs` if that is given. */
  | { readonly type: "retry"; readonly retryAfterMs: number | undefined }
  /** The content differs from the listing: list again. */
  | { readonly type: "changed" }
  /** The server gives whole files only: read from the start. */
  | { readonly type: "whole" }
  /** A retry is useless; another place may have it. */
  | { readonly type: "elsewhere" };

/** The error thrown when a source does not provide the requested data. */
export class RemoteError extends Error {
  /** Creates an error with the fault and the advice; never with a secret. */
  constructor(
    message: string,
    /** Remedy for the failure. */
    readonly remedy: Remedy,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RemoteError";
  }
}
