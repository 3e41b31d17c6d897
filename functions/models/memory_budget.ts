/**
 * The memory check of several language models together, before any of them is
 * loaded.
 *
 * A model that is too large by itself is refused by `weight_memory.ts`, with
 * its own remedies.
 *
 * @module
 */

import { adapterBytes } from "../../lib/decoder/adapter_stack.ts";
import { CheckpointError } from "../../lib/errors.ts";
import {
  copiedWeightBytes,
  gigabytes,
} from "../../lib/loading/weight_memory.ts";
import type { CodeBits } from "../../models/graph/weights.ts";
import { type Dtype, DTYPE_BYTES } from "../../models/graph/dtype.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { ModelPlan, PlannedModels } from "./model_plan.ts";
import { cacheShare } from "./memory_check.ts";
import type { Precision } from "./precision.ts";

/** The available memory and the requested formats. */
export interface MemoryPlanOptions {
  /** Format of the language models' weights; undefined for the stored one. */
  readonly precision: Precision | undefined;
  /** The runtime of the graphs; awaited only if several models are counted. */
  readonly runtime: Promise<MemoryUser>;
  /** Bytes of the KV caches of all language models; undefined for a quarter. */
  readonly cacheBytes: number | undefined;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Bytes of memory that are free. */
  readonly freeBytes: number;
}

/** The parts of a runtime that the memory check reads. */
export type MemoryUser = Pick<
  Runtime,
  "provider" | "device" | "deviceMemoryBytes"
>;

/** A share of the memory. */
export interface MemoryShare {
  /** Name of the share, for display. */
  readonly what: string;
  /** Bytes of the share. */
  readonly bytes: number;
}

/**
 * Refuses models that do not fit together. Weights that stay mapped count
 * nothing: the system takes their pages back when it needs them.
 *
 * @throws {CheckpointError} If they do not fit, listing shares and remedies.
 */
export async function refuseCrowded(
  { models, checkpoints }: Pick<ModelPlan, "models" | "checkpoints">,
  options: MemoryPlanOptions,
): Promise<void> {
  const serving = models.filter(({ draws, answers }) => draws || answers);
  if (serving.length < 2) return;
  const runtime = await options.runtime;
  // Devices have memory of their own, which is checked model by model.
  if (runtime.device !== undefined) return;
  const dtype = runtime.provider.computeDtype;
  const weights = await Promise.all([
    ...serving.map((planned) =>
      languageShare(planned, checkpoints, { ...options, dtype })
    ),
    ...visionFolders(serving).map((folder) =>
      visionShare(folder, checkpoints, dtype)
    ),
  ]);
  const copied = weights.filter(({ bytes }) => bytes > 0);
  if (copied.length === 0) return;
  const shares = [
    ...copied,
    {
      what: "KV cache (KV_BYTES)",
      bytes: cacheShare(runtime, { ...options, models: 1 }),
    },
  ];
  if (sumOf(shares) <= options.freeBytes) return;
  const names = serving.map(({ language }) => language.folder).join(" and ");
  throw new CheckpointError(
    names,
    `together they need ${gigabytes(sumOf(shares))} of memory (${
      shares.map(({ what, bytes }) => `${what} ${gigabytes(bytes)}`).join(", ")
    }), but only ${
      gigabytes(options.freeBytes)
    } are free; serve one model per container (FUNCTIONS=generate in one, FUNCTIONS=caption in the other), quantize weights (PRECISION=int4) or lower KV_BYTES`,
  );
}

async function languageShare(
  { language, draws, answers, adapters = [] }: PlannedModels,
  checkpoints: Checkpoints,
  { precision, dtype }: Pick<MemoryPlanOptions, "precision"> & {
    readonly dtype: Dtype;
  },
): Promise<MemoryShare> {
  const checkpoint = await checkpoints.language(language.folder);
  const { vocabularySize } = checkpoint.config;
  // Codes are a part of the vocabulary: counted as all of it, to be safe.
  const headRows = (draws ? vocabularySize : 0) +
    (answers ? vocabularySize : 0);
  const codeBits = checkpoint.codeBits ?? bitsOf(precision);
  const stored = { ...checkpoint, codeBits };
  const bytes = copiedWeightBytes(stored, dtype, headRows) +
    adapterBytes(adapters, dtype, true);
  return { what: language.name, bytes };
}

async function visionShare(
  folder: string,
  checkpoints: Checkpoints,
  computeDtype: Dtype,
): Promise<MemoryShare> {
  const { name, storedDtype, byteLength } = await checkpoints.vision(folder);
  const numbers = byteLength / DTYPE_BYTES[storedDtype];
  const bytes = storedDtype === computeDtype
    ? 0
    : numbers * DTYPE_BYTES[computeDtype];
  return { what: name, bytes };
}

/** Returns the vision tokenizers outside a language model's folder. */
function visionFolders(models: readonly PlannedModels[]): readonly string[] {
  const own = models.filter(({ language, vision }) =>
    language.key !== vision.key
  );
  return [...new Set(own.map(({ vision }) => vision.folder))];
}

/** Returns the code bits of a copy that is made when the server starts. */
function bitsOf(precision: Precision | undefined): CodeBits | undefined {
  if (precision === "int8") return 8;
  return precision === "int4" ? 4 : undefined;
}

function sumOf(shares: readonly MemoryShare[]): number {
  return shares.reduce((sum, { bytes }) => sum + bytes, 0);
}
