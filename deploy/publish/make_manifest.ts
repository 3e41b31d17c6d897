/**
 * The creation of a folder's manifest.
 *
 * @module
 */

import { join } from "node:path";
import { hubCommit, modelName } from "../../lib/loading/hub_cache.ts";
import { hashFiles, type HashOptions } from "../cache/hashing/hash_files.ts";
import {
  type Manifest,
  PART_BYTES,
  revisionOf,
} from "../cache/manifest/manifest.ts";
import { type PublishedFile, PublishError } from "./published_files.ts";

/** Options for making a manifest. */
export interface ManifestOptions extends HashOptions {
  /** Program that makes it. */
  readonly createdBy: string;
  /** Bytes of a part. */
  readonly partBytes?: number;
}

/**
 * Hashes `files` of the checkpoint in `folder`.
 *
 * @throws {PublishError} When one is unreadable, or changes during the hashing.
 */
export async function makeManifest(
  folder: string,
  files: readonly PublishedFile[],
  { createdBy, partBytes = PART_BYTES, ...options }: ManifestOptions,
): Promise<Manifest> {
  const jobs = files.map(({ from }) => ({
    path: from,
    kind: "sha256" as const,
    partSize: partBytes,
  }));
  const outcomes = await hashFiles(jobs, options);
  const hashed = files.map(({ path, from, size }, index) => {
    const outcome = outcomes[index]!;
    if (outcome.type === "failure") {
      throw new PublishError(from, `it cannot be read: ${outcome.reason}`);
    }
    const { hex: sha256, parts: partSha256 } = outcome.hashes;
    if (outcome.hashes.size !== size) throw changed(from);
    const partSize = partBytes;
    return { path, size, sha256, partSize, partSha256, url: undefined };
  });
  const model = modelName(folder);
  const commit = hubCommit(folder);
  return {
    model,
    revision: revisionOf(hashed),
    createdBy,
    precision: await precisionOf(folder),
    source: commit === undefined ? undefined : `${model}@${commit}`,
    files: hashed,
  };
}

/** Returns the error for a file that changed after it was hashed. */
export function changed(path: string): PublishError {
  return new PublishError(
    path,
    "it changed during the publication; publish again when nothing writes to it",
  );
}

const FLOATS: Readonly<Record<string, string>> = {
  float32: "fp32",
  bfloat16: "bf16",
  float16: "fp16",
};

/**
 * Returns the precision in `config.json`: bits of codes, else the type of
 * floats.
 */
async function precisionOf(folder: string): Promise<string | undefined> {
  let config: Readonly<Record<string, unknown>>;
  try {
    const path = join(folder, "config.json");
    config = { ...JSON.parse(await Deno.readTextFile(path)) };
  } catch (cause) {
    throw new PublishError(folder, "its config.json is not JSON", { cause });
  }
  const bits = /"num_bits":(\d+)/.exec(
    JSON.stringify(config["quantization_config"] ?? {}),
  )?.[1];
  if (bits !== undefined) return `int${bits}`;
  // Newer savers write "dtype", and some only within a part's configuration.
  const places = [config, config["text_config"], config["vq_config"]]
    .map((place): Record<string, unknown> => ({ ...Object(place) }));
  const dtypes = places.map(({ dtype, torch_dtype: old }) => dtype ?? old);
  return FLOATS[String(dtypes.find((dtype) => typeof dtype === "string"))];
}
