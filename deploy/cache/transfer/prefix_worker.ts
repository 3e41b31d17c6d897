/**
 * The worker that hashes the written prefix of a growing file.
 *
 * Entry point: `prefix_hash.ts` starts it and imports its types only.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { contentHash } from "../hashing/content_hash.ts";

/** A request to the worker: first the file, then the length of the prefix. */
export interface FrontRequest {
  /** Path of the file. */
  readonly path: string;
  /** Bytes of the complete file. */
  readonly size: number;
  /** Bytes of the prefix that is written. */
  readonly front: number;
}

/** A reply of the worker: progress, and finally the hash. */
export type FrontReply =
  | { readonly kind: "at"; readonly bytes: number }
  | { readonly kind: "hashed"; readonly hex: string }
  | { readonly kind: "failed"; readonly message: string };

const TELL_BYTES = 2 ** 26;

const piece = new Uint8Array(2 ** 18);
const hash = contentHash("sha256", 0);
let file: Deno.FsFile | undefined;
let at = 0;

self.addEventListener("message", ({ data }: MessageEvent<FrontRequest>) => {
  try {
    follow(data);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    self.postMessage({ kind: "failed", message } satisfies FrontReply);
  }
});

function follow({ path, size, front }: FrontRequest): void {
  file ??= Deno.openSync(path);
  while (at < front) {
    const count = file.readSync(
      piece.subarray(0, Math.min(piece.length, front - at)),
    );
    if (count === null) throw new Error(`"${path}" ends at ${at}`);
    hash.update(piece.subarray(0, count));
    at += count;
    if (at % TELL_BYTES < count) {
      self.postMessage({ kind: "at", bytes: at } satisfies FrontReply);
    }
  }
  if (at < size) return;
  file.close();
  self.postMessage(
    { kind: "hashed", hex: hash.digest() } satisfies FrontReply,
  );
}
