/**
 * The manifest of a published checkpoint: its files and their hashes.
 *
 * ```text
 * manifest.json   {"version": 1, "model", "revision", "created_by", …,
 *                  "files": [{"path", "size", "sha256", "part_size",
 *                             "part_sha256": […]}, …]}
 * ```
 *
 * It is in the folder of the files and is written last, so its existence
 * implies that of all files. `revision` is a hash of paths and hashes: equal
 * content gives equal text, independent of writer and time. Its origin is not
 * trusted: {@linkcode parseManifest} accepts no path that leads out of its
 * folder.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  listOf,
  ManifestError,
  natural,
  recordOf,
  sha256,
  text,
} from "./manifest_fields.ts";
import { quoteText } from "../../../lib/escaped_text.ts";
import { isSafePath, refuseClashes } from "./safe_path.ts";

/** Name of the manifest in the folder of a checkpoint or under a prefix. */
export const MANIFEST_FILE = "manifest.json";

/** Bytes that a manifest may have; larger files are rejected. */
export const MANIFEST_BYTES = 2 ** 24;

/** Default bytes of a part. */
export const PART_BYTES = 2 ** 26;

/** A file of a checkpoint. */
export interface ManifestFile {
  /** Path within the checkpoint, with `/`. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** SHA-256 of the whole file, in hex. */
  readonly sha256: string;
  /** Bytes of each part but the last. */
  readonly partSize: number;
  /** SHA-256 of each part, in order; empty for an empty file. */
  readonly partSha256: readonly string[];
  /** URL of the file, perhaps signed, if it is not beside the manifest. */
  readonly url: string | undefined;
}

/** A checkpoint as its publisher describes it. */
export interface Manifest {
  /** Name of the model, such as `Emu3-Gen`. */
  readonly model: string;
  /** Hash of the content: see {@linkcode revisionOf}. */
  readonly revision: string;
  /** Program that wrote the manifest. */
  readonly createdBy: string;
  /** Numeric format of the weights, if known. */
  readonly precision: string | undefined;
  /** Origin of the checkpoint, if known: a repository and its commit. */
  readonly source: string | undefined;
  /** Files in the order of their paths. */
  readonly files: readonly ManifestFile[];
}

const VERSION = 1;
const MAX_FILES = 10_000;

/** Returns the revision of `files`: 40 hex digits, as in a commit. */
export function revisionOf(
  files: readonly Pick<ManifestFile, "path" | "sha256">[],
): string {
  const hash = createHash("sha256");
  for (const { path, sha256 } of byPath(files)) {
    hash.update(`${sha256}  ${path}\n`);
  }
  return hash.digest("hex").slice(0, 40);
}

/** Returns a manifest as text: equal manifests give equal texts. */
export function manifestText(manifest: Manifest): string {
  const { model, revision, createdBy, precision, source } = manifest;
  const fields = {
    version: VERSION,
    model,
    revision,
    "created_by": createdBy,
    ...precision === undefined ? {} : { precision },
    ...source === undefined ? {} : { source },
    files: byPath(manifest.files).map((file) => ({
      path: file.path,
      size: file.size,
      sha256: file.sha256,
      "part_size": file.partSize,
      "part_sha256": file.partSha256,
      ...file.url === undefined ? {} : { url: file.url },
    })),
  };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}

/**
 * Parses the text of a manifest.
 *
 * @throws {ManifestError} Naming the field that is wrong or unsafe.
 */
export function parseManifest(written: string): Manifest {
  const fields = recordOf(parseJson(written), "the manifest", [
    "version",
    "model",
    "revision",
    "created_by",
    "precision",
    "source",
    "files",
  ]);
  if (fields["version"] !== VERSION) {
    throw new ManifestError(
      `version ${versionOf(fields["version"])} is not supported, ` +
        `expected ${VERSION}; update this program`,
    );
  }
  const files = listOf(fields["files"], "files", MAX_FILES).map(parseFile);
  if (files.length === 0) throw new ManifestError("it lists no file");
  refuseClashes(files.map(({ path }) => path));
  const revision = text(fields["revision"], "revision");
  if (revision !== revisionOf(files)) {
    throw new ManifestError(
      `revision ${quoteText(revision)} does not match the listed files, ` +
        `expected "${revisionOf(files)}"; publish the checkpoint again`,
    );
  }
  return {
    model: text(fields["model"], "model"),
    revision,
    createdBy: text(fields["created_by"], "created_by"),
    precision: optional(fields["precision"], "precision"),
    source: optional(fields["source"], "source"),
    files: byPath(files),
  };
}

function parseFile(value: unknown, index: number): ManifestFile {
  const name = `files[${index}]`;
  const fields = recordOf(value, name, [
    "path",
    "size",
    "sha256",
    "part_size",
    "part_sha256",
    "url",
  ]);
  const path = text(fields["path"], `${name}.path`);
  if (!isSafePath(path) || path === MANIFEST_FILE) {
    throw new ManifestError(
      `${name}.path ${quoteText(path)} is not a path within a checkpoint`,
    );
  }
  const size = natural(fields["size"], `${name}.size`, 0);
  const partSize = natural(fields["part_size"], `${name}.part_size`, 1);
  const parts = Math.ceil(size / partSize);
  const partSha256 = listOf(
    fields["part_sha256"],
    `${name}.part_sha256`,
    parts,
  ).map((part, i) => sha256(part, `${name}.part_sha256[${i}]`));
  if (partSha256.length !== parts) {
    throw new ManifestError(
      `${name}.part_sha256 has ${partSha256.length} hashes, ` +
        `expected ${parts}: ${size} bytes in parts of ${partSize}`,
    );
  }
  return {
    path,
    size,
    sha256: sha256(fields["sha256"], `${name}.sha256`),
    partSize,
    partSha256,
    url: optional(fields["url"], `${name}.url`),
  };
}

function versionOf(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  // A deeply nested list may fail to print.
  return typeof value === "object" ? "of another type" : String(value);
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch (cause) {
    throw new ManifestError("it is not JSON, or is truncated", { cause });
  }
}

function optional(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : text(value, name);
}

/** Sorts by code units, independent of locale. */
function byPath<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return [...files].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : 0
  );
}
