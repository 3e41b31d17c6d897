/**
 * The memory plan of a tuning run: the bytes that each part takes, and the
 * arrangement that fits.
 *
 * ```text
 * weights       as stored, and a copy in the computing type where it fits
 * trained       values, gradients and two moments, 16 bytes a parameter
 * activations   inputs of all layers, and what is kept of each layer
 * work          one layer's intermediate values, and logits of a chunk
 * ```
 *
 * Arrangements are tried from the fastest to the smallest.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { elementCount } from "../../models/graph/dtype.ts";
import { matrixWeightCount } from "../../models/tuning/layer_parts.ts";
import { keptWidths } from "./passes/kept_widths.ts";
import { tunedParameters, type TuningMethod } from "./method.ts";

/** The run to plan. */
export interface PlannedRun {
  /** Configuration of the model. */
  readonly config: LanguageConfig;
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** True if some records are replayed. */
  readonly replays: boolean;
  /** Bytes of a stored weight: 4, 2, about 1.1 for int8 and 0.6 for int4. */
  readonly storedBytes: number;
  /** Bytes of a computed value: 4 on a CPU, 2 on a GPU. */
  readonly computedBytes: number;
  /** Number of tokens of the longest sequence. */
  readonly tokens: number;
  /** Numbers of sequences that may run side by side, the fastest first. */
  readonly parallel: readonly number[];
}

/** The arrangement of a run. */
export interface Arrangement {
  /** True if weights are cast to the computing type once. */
  readonly castsOnce: boolean;
  /** True if activations are kept for the backward pass. */
  readonly keeps: boolean;
  /** Number of queries whose scores exist at once. */
  readonly queryBlock: number;
  /** Number of positions whose logits exist at once. */
  readonly lossChunk: number;
  /** Number of sequences that run side by side. */
  readonly parallel: number;
}

/** A plan. */
export interface MemoryPlan extends Arrangement {
  /** Bytes by part. */
  readonly parts: Readonly<
    Record<"weights" | "trained" | "activations" | "work", number>
  >;
  /** Bytes of all parts. */
  readonly totalBytes: number;
}

/** Bytes of a trained parameter: value, gradient and two moments, float32. */
const TRAINED_BYTES = 16;

/** Bytes of its gradient, which sequences that run side by side have apart. */
const GRADIENT_BYTES = 4;

/** Bytes of the program and of ONNX Runtime. */
const PROGRAM_BYTES = 2 ** 28;

/**
 * Share that ONNX Runtime's arena takes beyond the values in use; measured by
 * tests/bench/tuning_layer.ts, whose peak the plan then has.
 */
const ARENA = 1.15;

/** Bytes that the logits of a chunk may take. */
const LOGIT_BYTES = 2 ** 27;

/** Arrangements from the fastest to the smallest. */
const LADDER = [
  { castsOnce: true, keeps: true, queryBlock: 128, most: 512 },
  { castsOnce: false, keeps: true, queryBlock: 128, most: 512 },
  { castsOnce: false, keeps: false, queryBlock: 128, most: 512 },
  { castsOnce: false, keeps: false, queryBlock: 32, most: 64 },
];

/**
 * Returns the fastest plan that fits, or the smallest if none does.
 *
 * @param availableBytes Bytes that the run may take.
 */
export function planMemory(
  run: PlannedRun,
  availableBytes: number,
): MemoryPlan {
  const plans = LADDER.flatMap(({ most, ...rest }) => {
    const logits = run.config.vocabularySize * 4;
    const lossChunk = Math.max(16, Math.floor(LOGIT_BYTES / logits));
    const arrangement = { ...rest, lossChunk: Math.min(most, lossChunk) };
    return run.parallel.map((parallel) =>
      planOf(run, { ...arrangement, parallel })
    );
  });
  return plans.find(({ totalBytes }) => totalBytes <= availableBytes) ??
    plans.at(-1)!;
}

/** Returns the number of weights of a model. */
export function weightCount(config: LanguageConfig): number {
  return tunedParameters(config, { kind: "full" })
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Returns the number of parameters that a method trains. */
export function trainedCount(
  config: LanguageConfig,
  method: TuningMethod,
): number {
  return tunedParameters(config, method)
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

function planOf(run: PlannedRun, arrangement: Arrangement): MemoryPlan {
  const { parallel } = arrangement;
  const parts = {
    weights: weightBytes(run, arrangement),
    trained: trainedCount(run.config, run.method) *
      (TRAINED_BYTES + GRADIENT_BYTES * (parallel - 1)),
    activations: activationBytes(run, arrangement) * parallel,
    work: workBytes(run, arrangement) * parallel + PROGRAM_BYTES,
  };
  const totalBytes = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { ...arrangement, parts, totalBytes };
}

function weightBytes(
  { config, method, storedBytes, computedBytes }: PlannedRun,
  { castsOnce }: Arrangement,
): number {
  // Full tuning copies all weights to its parameters, and reads them there.
  if (method.kind === "full") return 0;
  const count = weightCount(config);
  const casts = castsOnce && storedBytes !== computedBytes && storedBytes >= 2;
  return count * (casts ? computedBytes : storedBytes);
}

function activationBytes(
  { config, method, replays, computedBytes, tokens }: PlannedRun,
  { keeps }: Arrangement,
): number {
  const { layers, hiddenSize } = config;
  const kept = Array.from({ length: layers }, (_, layer) => layer)
    .flatMap((layer) => [...keptWidths(config, method, layer).values()])
    .reduce((sum, width) => sum + width, 0);
  // Inputs of all layers, the last output, and two gradients in turns; of what
  // is replayed the last output of the base too.
  const inputs = (layers + (replays ? 4 : 3)) * hiddenSize;
  return tokens * computedBytes * (inputs + (keeps ? kept : 0));
}

function workBytes(
  run: PlannedRun,
  { castsOnce, queryBlock, lossChunk }: Arrangement,
): number {
  const { config, computedBytes, tokens } = run;
  const { hiddenSize: E, intermediateSize: F, heads: N, headSize: D } = config;
  const rows = tokens * computedBytes * (6 * E + 4 * N * D + 12 * F);
  const block = Math.min(queryBlock, tokens);
  const scores = 4 * N * block * tokens * computedBytes;
  const converts = run.method.kind === "lora" &&
    run.storedBytes !== computedBytes && !(castsOnce && run.storedBytes >= 2);
  const layer = matrixWeightCount(config);
  const head = config.vocabularySize * E;
  // Of what is replayed those of the base too, with logarithms and products.
  const values = run.replays ? 8 : 4;
  const logits = values * lossChunk * config.vocabularySize * 4;
  const floats = (count: number) => converts ? count * computedBytes : 0;
  const most = Math.max(rows + scores + floats(layer), logits + floats(head));
  return most * ARENA;
}
