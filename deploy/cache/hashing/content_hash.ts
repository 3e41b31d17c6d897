/**
 * Hashes of content, as the places that keep it tell them.
 *
 * ```text
 * sha256    large files of a hub, manifests
 * git       blob <size>\0<content> in SHA-1: small files of a hub
 * crc32     what a part on this disk should be; no place tells it
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { RemoteFile } from "../net/remote.ts";

/** A kind of hash. */
export type HashKind = "sha256" | "git" | "crc32";

/** A hash that grows with its content. */
export interface ContentHash {
  /** Goes on with `bytes`. */
  update(bytes: Uint8Array): void;
  /** The hash in hex, at the end. */
  digest(): string;
}

/** What content should hash to. */
export interface ExpectedHash {
  /** Of which kind. */
  readonly kind: HashKind;
  /** In hex. */
  readonly hex: string;
}

/** What `file` should hash to; undefined where its place does not say. */
export function expectedHash(
  { sha256, gitHash }: Partial<Pick<RemoteFile, "sha256" | "gitHash">>,
): ExpectedHash | undefined {
  if (sha256 !== undefined) return { kind: "sha256", hex: sha256 };
  if (gitHash !== undefined) return { kind: "git", hex: gitHash };
  return undefined;
}

/**
 * An empty hash.
 *
 * @param size Bytes of the whole content, which Git's hash begins with.
 * @param crc32Before CRC-32 in hex of the bytes that were hashed earlier; of no
 * meaning to the other kinds.
 */
export function contentHash(
  kind: HashKind,
  size: number,
  crc32Before = "0",
): ContentHash {
  switch (kind) {
    case "crc32": {
      let sum = Number.parseInt(crc32Before, 16);
      return {
        update: (bytes) => {
          sum = crc32(bytes, sum);
        },
        digest: () => sum.toString(16).padStart(8, "0"),
      };
    }
    case "sha256": {
      const hash = createHash("sha256");
      return {
        update: (bytes) => void hash.update(bytes),
        digest: () => hash.digest("hex"),
      };
    }
    case "git": {
      const hash = createHash("sha1").update(`blob ${size}\0`);
      return {
        update: (bytes) => void hash.update(bytes),
        digest: () => hash.digest("hex"),
      };
    }
  }
}
