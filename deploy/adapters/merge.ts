/**
 * The merge of a LoRA adapter into its base model: `W' = W + scale · B · A`.
 *
 * ```text
 * {target}.partial   while it is written
 * {target}           once it is complete
 * ```
 *
 * @module
 */

import { resolve } from "node:path";
import { type Adapter, openAdapter } from "../../lib/loading/adapter_files.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { readFloats } from "../../lib/loading/floats.ts";
import { onDisk } from "../cache/base/disk.ts";
import { REMEDY } from "../tune/safetensors_writer.ts";
import { writeTunedCheckpoint } from "../tune/tuned_checkpoint.ts";
import { addProduct, storedFloats } from "./merged_floats.ts";

/** An error for an adapter that cannot be merged. */
export class MergeError extends Error {
  /** Creates an error about the base or target `subject`. */
  constructor(subject: string, reason: string) {
    super(`Cannot merge into ${subject}: ${reason}`);
    this.name = "MergeError";
  }
}

/** Key of the head in the original layout. */
const HEAD_KEY = "lm_head.weight";

/**
 * Writes the base in `model` with the adapter in `adapter` added, in the base's
 * layout and types.
 *
 * @throws {CheckpointError} If either cannot be opened, or they do not fit.
 * @throws {MergeError} If the base has no floats, ties its head to the
 * embedding while the adapter replaces it, or `target` exists.
 * @throws {DiskError} If the disk refuses.
 */
export async function mergeAdapter(
  adapter: string,
  model: string,
  target: string,
): Promise<void> {
  const base = await openLanguageCheckpoint(model);
  const opened = await openAdapter(adapter, base.config);
  if (base.codeBits !== undefined) {
    throw new MergeError(
      model,
      `its weights have ${base.codeBits} bits; merge into the checkpoint that they were made from, then quantize the result`,
    );
  }
  if (opened.head !== undefined && base.config.tiedEmbeddings) {
    throw new MergeError(
      model,
      "its head is its table of embeddings, and the adapter replaces the head alone; serve the adapter beside it",
    );
  }
  if (await exists(target)) {
    throw new MergeError(target, "it exists; choose another folder");
  }
  const partial = `${resolve(target)}.partial`;
  await onDisk(target, async () => {
    if (await exists(partial)) await Deno.remove(partial, { recursive: true });
  }, REMEDY);
  const keys = mergedKeys(opened);
  await writeTunedCheckpoint(
    base,
    partial,
    keys,
    (key) => mergedFloats(base, opened, key),
  );
  await onDisk(target, () => Deno.rename(partial, target), REMEDY);
}

function mergedKeys({ matrices, head }: Adapter): string[] {
  return [
    ...[...matrices.keys()].map((key) => `${key}.weight`),
    ...head === undefined ? [] : [HEAD_KEY],
  ];
}

async function mergedFloats(
  base: LanguageCheckpoint,
  { matrices, head }: Adapter,
  key: string,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  if (key === HEAD_KEY && head !== undefined) {
    return await storedFloats(base, head);
  }
  const matrix = matrices.get(key.slice(0, -".weight".length));
  if (matrix === undefined) return undefined;
  const { shape, scale } = matrix;
  const weight = await storedFloats(base, base.weights.find(key, shape));
  const [b, a] = [await readFloats(matrix.b), await readFloats(matrix.a)];
  addProduct(weight, b, a, { shape, scale });
  return weight;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
