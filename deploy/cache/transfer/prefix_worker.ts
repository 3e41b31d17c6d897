/**
 * The worker that hashes the written prefix of a growing file.
 *
 * Entry point: `prefix_hash.ts` starts it and imports its types only.
 *
 * @module
 */

import {
  type MethodContext,
  serveMethods,
} from "../../../lib/async/worker_methods.ts";
import { contentHash } from "../hashing/content_hash.ts";

/** The file, and the length of its prefix. */
export interface FilePrefix {
  /** Path of the file. */
  readonly path: string;
  /** Bytes of the complete file. */
  readonly size: number;
  /** Bytes of the prefix that is written. */
  readonly prefix: number;
}

const REPORT_BYTES = 2 ** 26;

const piece = new Uint8Array(2 ** 18);
const hash = contentHash("sha256", 0);
let file: Deno.FsFile | undefined;
let at = 0;

/** Methods of the worker; events are the bytes hashed so far. */
export const methods = {
  /** Returns the hash in hex, once the prefix is the file. */
  advance: (
    { path, size, prefix }: FilePrefix,
    { notify }: MethodContext<number>,
  ): string | undefined => {
    file ??= Deno.openSync(path);
    while (at < prefix) {
      const count = file.readSync(
        piece.subarray(0, Math.min(piece.length, prefix - at)),
      );
      if (count === null) throw new Error(`"${path}" ends at ${at}`);
      hash.update(piece.subarray(0, count));
      at += count;
      if (at % REPORT_BYTES < count) notify(at);
    }
    if (at < size) return undefined;
    file.close();
    return hash.digest();
  },
};

/** Type of the methods, for the client. */
export type PrefixMethods = typeof methods;

serveMethods(methods);
