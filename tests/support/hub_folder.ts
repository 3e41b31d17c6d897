/**
 * A Hugging Face cache as its tools leave it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** A configuration and a file of weights. */
export const FILES: Readonly<Record<string, string>> = {
  "config.json": "{}",
  "model.safetensors": "weights",
};

/** Puts a revision with `files` into a cache, and names it. */
export function putRevision(
  cache: TemporaryFolder,
  repository: string,
  commit: string,
  options: {
    readonly refs: readonly string[];
    readonly files?: Readonly<Record<string, string>>;
  },
): void {
  for (const [path, content] of Object.entries(options.files ?? FILES)) {
    // Large files have their SHA-256 as names, small ones Git's hash.
    const blob = path.endsWith(".safetensors")
      ? createHash("sha256").update(content).digest("hex")
      : createHash("sha1").update(`blob ${content.length}\0${content}`)
        .digest("hex");
    cache.write(`${repository}/blobs/${blob}`, content);
    const up = "../".repeat(path.split("/").length + 1);
    cache.link(
      `${repository}/snapshots/${commit}/${path}`,
      `${up}blobs/${blob}`,
    );
  }
  for (const ref of options.refs) {
    cache.write(`${repository}/refs/${ref}`, commit);
  }
}
