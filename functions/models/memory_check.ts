/**
 * Whether a language model fits, before it is loaded.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import {
  copiedWeightBytes,
  deviceWeightBytes,
  refuseUnfitting,
  refuseUnfittingDevice,
} from "../../lib/loading/weight_memory.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { PlannedModels } from "./model_plan.ts";

/** What a model may have. */
export interface MemoryLimits {
  /** That the process may have. */
  readonly memoryBytes: number;
  /** For keys and values. */
  readonly cacheBytes: number;
}

/** Of the memory, what keys and values have unless told otherwise. */
const CACHE_SHARE = 1 / 4;

/** Bytes for keys and values of one of several language models. */
export function cacheShare(
  { device, deviceMemoryBytes }: Pick<Runtime, "device" | "deviceMemoryBytes">,
  { cacheBytes, memoryBytes, models }: {
    /** Of all; undefined for a share of the memory. */
    readonly cacheBytes: number | undefined;
    /** That the process may have. */
    readonly memoryBytes: number;
    /** Language models that share them. */
    readonly models: number;
  },
): number {
  const memory = device === undefined
    ? memoryBytes
    : deviceMemoryBytes ?? memoryBytes;
  return Math.floor((cacheBytes ?? memory * CACHE_SHARE) / models);
}

/**
 * Refuses a model whose weights do not fit: on a CPU their copies beside what
 * the machine already holds, on a device all of them beside keys and values.
 *
 * @throws {CheckpointError} Saying how much is needed and what would fit.
 */
export function refuseOutOfMemory(
  { provider, device, deviceMemoryBytes }: Pick<
    Runtime,
    "provider" | "device" | "deviceMemoryBytes"
  >,
  checkpoint: LanguageCheckpoint,
  { draws, answers }: Pick<PlannedModels, "draws" | "answers">,
  { memoryBytes, cacheBytes }: MemoryLimits,
): void {
  const { vocabularySize } = checkpoint.config;
  const { computeDtype } = provider;
  // Codes are a part of the vocabulary: counted as all of it, to be safe.
  const judged = (draws ? vocabularySize : 0) + (answers ? vocabularySize : 0);
  if (device === undefined) {
    const needed = copiedWeightBytes(checkpoint, computeDtype, judged);
    const { available } = Deno.systemMemoryInfo();
    // What the machine has free may be more than the container may have.
    refuseUnfitting(checkpoint, needed, Math.min(available, memoryBytes));
  } else if (deviceMemoryBytes !== undefined) {
    const weightBytes = deviceWeightBytes(checkpoint, computeDtype, judged);
    refuseUnfittingDevice(checkpoint, {
      weightBytes,
      cacheBytes,
      deviceBytes: deviceMemoryBytes,
    });
  }
}
