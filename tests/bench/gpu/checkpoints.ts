/**
 * The checkpoints of the GPU benchmark: random weights in the published sizes,
 * whole and in four bits, and a shallow one.
 *
 * @module
 */

import { join } from "node:path";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import {
  PUBLISHED_SIZES,
  SMALL_SIZES,
  writeMiddle,
} from "../middle_checkpoint.ts";
import type { GpuBench } from "./bench_part.ts";

/** The published heads in few layers. */
const SHALLOW_SIZES = { ...PUBLISHED_SIZES, "num_hidden_layers": 2 };

/** Options of {@linkcode prepareCheckpoints}. */
export interface PrepareOptions {
  /** True for sizes that run in seconds on a CPU. */
  readonly small: boolean;
  /** Number of threads that compute. */
  readonly threads: number;
}

/** Writes the checkpoints that `root` lacks; returns their folders. */
export async function prepareCheckpoints(
  root: string,
  { small, threads }: PrepareOptions,
): Promise<Pick<GpuBench, "checkpoints" | "shallow">> {
  const whole = join(root, small ? "small" : "published");
  const shallow = small ? whole : join(root, "shallow");
  const int4 = `${whole}-int4`;
  await writeMissing(whole, small ? SMALL_SIZES : PUBLISHED_SIZES);
  if (!small) await writeMissing(shallow, SHALLOW_SIZES);
  // The folder has this name only once it is whole.
  if (!await isThere(int4)) {
    const how = { precision: "int4", threads, program: "bench" } as const;
    for await (const _ of quantizeCheckpoint(whole, int4, how));
  }
  return { checkpoints: { bf16: whole, int4 }, shallow };
}

async function writeMissing(
  folder: string,
  sizes: Parameters<typeof writeMiddle>[2],
): Promise<void> {
  const marker = join(folder, "written");
  if (await isThere(marker)) return;
  await Deno.mkdir(folder, { recursive: true });
  await writeMiddle(folder, "BF16", sizes);
  await Deno.writeTextFile(marker, "");
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
