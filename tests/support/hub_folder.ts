/**
 * The Hugging Face cache in the layout of its own tools.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** Files of a revision: a configuration and weights. */
export const FILES: Readonly<Record<string, string>> = {
  "config.json": "{}",
  "model.safetensors": "weights",
};

/** Adds a revision with `files` to a cache, and a ref to it. */
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
    // Large files are named by SHA-256, small ones by Git's hash.
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
