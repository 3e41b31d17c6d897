/**
 * The content hashes, in the kinds that sources provide.
 *
 * ```text
 * sha256    large files of a hub, manifests
 * git       blob <size>\0<content> in SHA-1: small files of a hub
 * crc32     check of a part on this disk; no source provides it
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { RemoteFile } from "../net/remote.ts";

/** A kind of hash. */
export type HashKind = "sha256" | "git" | "crc32";

/** A hash that is computed incrementally. */
export interface ContentHash {
  /** Adds `bytes` to the hash. */
  update(bytes: Uint8Array): void;
  /** Returns the hash in hex, at the end. */
  digest(): string;
}

/** The expected hash of content. */
export interface ExpectedHash {
  /** Kind of hash. */
  readonly kind: HashKind;
  /** Hash in hex. */
  readonly hex: string;
}

/** Returns the expected hash of `file`; undefined if its source has none. */
export function expectedHash(
  { sha256, gitHash }: Partial<Pick<RemoteFile, "sha256" | "gitHash">>,
): ExpectedHash | undefined {
  if (sha256 !== undefined) return { kind: "sha256", hex: sha256 };
  if (gitHash !== undefined) return { kind: "git", hex: gitHash };
  return undefined;
}

/**
 * Creates the hash of no bytes.
 *
 * @param size Bytes of the whole content, which begin the input of Git's hash.
 * @param crc32Before CRC-32 in hex of the bytes that were hashed earlier;
 * ignored by the other kinds.
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
