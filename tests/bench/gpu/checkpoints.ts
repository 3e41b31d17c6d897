/**
 * The checkpoints of the GPU benchmark: random weights in the published sizes,
 * whole and in four bits, and a shallow one.
 *
 * @module
 */

import { join } from "node:path";
import { make, makeQuantized } from "../folders.ts";
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
  const sizes = small ? SMALL_SIZES : PUBLISHED_SIZES;
  await make(whole, (folder) => writeMiddle(folder, "BF16", sizes));
  if (!small) {
    await make(shallow, (folder) => writeMiddle(folder, "BF16", SHALLOW_SIZES));
  }
  const int4 = await makeQuantized(whole, { precision: "int4", threads });
  return { checkpoints: { bf16: whole, int4 }, shallow };
}
