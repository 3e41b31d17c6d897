/**
 * The memory check of one language model, before it is loaded.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import {
  copiedWeightBytes,
  deviceWeightBytes,
  gigabytes,
  refuseUnfitting,
  refuseUnfittingDevice,
} from "../../lib/loading/weight_memory.ts";
import { adapterBytes } from "../../lib/decoder/adapter_stack.ts";
import { CheckpointError } from "../../lib/errors.ts";
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
  { draws, answers, adapters = [] }: Pick<
    PlannedModels,
    "draws" | "answers" | "adapters"
  >,
  { memoryBytes, cacheBytes }: MemoryLimits,
): void {
  const { vocabularySize } = checkpoint.config;
  const { computeDtype } = provider;
  // Codes are a part of the vocabulary: counted as all of it, to be safe.
  const headRows = (draws ? vocabularySize : 0) +
    (answers ? vocabularySize : 0);
  const adapted = adapterBytes(adapters, computeDtype, device === undefined);
  if (device === undefined) {
    const needed = copiedWeightBytes(checkpoint, computeDtype, headRows);
    const { available } = Deno.systemMemoryInfo();
    // The machine may have more free than the container is allowed.
    const free = Math.min(available, memoryBytes);
    refuseUnfitting(checkpoint, needed, free);
    refuseUnfittingAdapters(checkpoint.folder, adapted, free - needed);
  } else if (deviceMemoryBytes !== undefined) {
    const weightBytes = deviceWeightBytes(checkpoint, computeDtype, headRows);
    refuseUnfittingDevice(checkpoint, {
      weightBytes,
      cacheBytes,
      deviceBytes: deviceMemoryBytes,
    });
    const free = deviceMemoryBytes - weightBytes - cacheBytes;
    refuseUnfittingAdapters(checkpoint.folder, adapted, free);
  }
}

/**
 * Refuses adapters that do not fit beside their model.
 *
 * @param neededBytes Bytes of all adapters.
 * @param freeBytes Bytes that the model leaves.
 * @throws {CheckpointError} With both figures and the remedies.
 */
export function refuseUnfittingAdapters(
  folder: string,
  neededBytes: number,
  freeBytes: number,
): void {
  if (neededBytes <= Math.max(0, freeBytes)) return;
  const [needed, free] = [neededBytes, Math.max(0, freeBytes)].map(gigabytes);
  throw new CheckpointError(
    folder,
    `its adapters need ${needed} of memory and the model leaves ${free}; name fewer in ADAPTERS, use lower ranks or lower KV_BYTES`,
  );
}
