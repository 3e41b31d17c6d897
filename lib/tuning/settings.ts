/**
 * The settings of a tuning run, and their defaults.
 *
 * Those of full tuning are the released scripts' (scripts/t2i_sft.sh of
 * baaivision/Emu3). An adapter starts at zero and takes larger steps: its rate,
 * and no decay, are QLoRA's (Dettmers et al., arXiv 2305.14314, table 9).
 *
 * @module
 */

import {
  LAYER_MATRICES,
  type LayerMatrix,
} from "../../models/tuning/layer_parts.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import type { TuningMethod } from "./method.ts";

/** The name of a method. */
export type TuningMethodName = TuningMethod["kind"];

/** The settings of a run that change its result. */
export interface TuningSettings extends OptimizerOptions {
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** Greatest learning rate. */
  readonly learningRate: number;
  /** Learning rate of the last step. */
  readonly minLearningRate: number;
  /** Steps of the warm-up. */
  readonly warmupSteps: number;
  /** Records of a step, whose gradients are added up. */
  readonly batch: number;
  /** Passes over the set, if `steps` is undefined. */
  readonly epochs: number;
  /** Steps of the run; undefined for whole epochs. */
  readonly steps: number | undefined;
  /** Probability that a caption is left out. */
  readonly nullPrompt: number;
  /** Number of records that are held out. */
  readonly heldOut: number;
  /** Seed of the adapter's start and of the order. */
  readonly seed: number;
  /** The most tokens of a sequence. */
  readonly maxTokens: number;
}

/** The settings of AdamW that both methods share. */
const ADAMW = { beta1: 0.9, beta2: 0.95, epsilon: 1e-6, maxGradientNorm: 5 };

/** Settings that both methods share. */
const SHARED = {
  warmupSteps: 30,
  batch: 8,
  epochs: 4,
  steps: undefined,
  nullPrompt: 0.05,
  heldOut: 0,
  seed: 0,
};

/** Returns the default settings of a method. */
export function defaultSettings(
  method: TuningMethodName,
): Omit<TuningSettings, "maxTokens"> {
  switch (method) {
    case "full":
      return {
        ...ADAMW,
        ...SHARED,
        method: { kind: "full" },
        learningRate: 1e-5,
        minLearningRate: 1e-6,
        weightDecay: 0.1,
      };
    case "lora":
      return {
        ...ADAMW,
        ...SHARED,
        method: {
          kind: "lora",
          rank: 16,
          alpha: 32,
          stabilized: false,
          targets: LAYER_MATRICES,
          layers: undefined,
          head: false,
        },
        learningRate: 2e-4,
        minLearningRate: 2e-5,
        weightDecay: 0,
      };
    default:
      throw method satisfies never;
  }
}

/** Returns the matrix whose name ends in `name`, such as `q_proj`. */
export function matrixNamed(name: string): LayerMatrix | undefined {
  return LAYER_MATRICES.find((matrix) => matrix.split(".").at(-1) === name);
}
