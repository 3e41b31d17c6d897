/**
 * The memory check of one language model, before it is loaded.
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

/** The memory that a model may use. */
export interface MemoryLimits {
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Bytes for keys and values. */
  readonly cacheBytes: number;
}

/** Default share of the memory for keys and values. */
const CACHE_SHARE = 1 / 4;

/** Returns the bytes of one KV cache among several language models. */
export function cacheShare(
  { device, deviceMemoryBytes }: Pick<Runtime, "device" | "deviceMemoryBytes">,
  { cacheBytes, memoryBytes, models }: {
    /** Bytes of all KV caches; undefined for a share of the memory. */
    readonly cacheBytes: number | undefined;
    /** Bytes of memory that the process may use. */
    readonly memoryBytes: number;
    /** Number of language models that share the cache bytes. */
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
 * @throws {CheckpointError} If they do not fit, naming what would.
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
  const headRows = (draws ? vocabularySize : 0) +
    (answers ? vocabularySize : 0);
  if (device === undefined) {
    const needed = copiedWeightBytes(checkpoint, computeDtype, headRows);
    const { available } = Deno.systemMemoryInfo();
    // The machine may have more free than the container is allowed.
    refuseUnfitting(checkpoint, needed, Math.min(available, memoryBytes));
  } else if (deviceMemoryBytes !== undefined) {
    const weightBytes = deviceWeightBytes(checkpoint, computeDtype, headRows);
    refuseUnfittingDevice(checkpoint, {
      weightBytes,
      cacheBytes,
      deviceBytes: deviceMemoryBytes,
    });
  }
}
