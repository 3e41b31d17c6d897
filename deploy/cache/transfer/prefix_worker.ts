/**
 * The worker that hashes a file from its start, as far as it has come.
 *
 * An entry point: `front_hash.ts` starts it and imports its types only.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { contentHash } from "../hashing/content_hash.ts";

/** What the worker is told: the file first, then how far it has come. */
export interface FrontRequest {
  /** The file. */
  readonly path: string;
  /** Bytes that it will have. */
  readonly size: number;
  /** Bytes from its start that are written. */
  readonly front: number;
}

/** What it answers: how far it is, at last the hash. */
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
