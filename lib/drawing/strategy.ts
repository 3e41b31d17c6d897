/**
 * The strategies of drawing a picture, and their guarantees.
 *
 * @module
 */

import type { SpeculationOptions } from "./speculation.ts";

/** The name of a strategy. */
export type StrategyName = "autoregressive" | "jacobi" | "zipar";

/** The names of all strategies, the simplest first. */
export const STRATEGY_NAMES = [
  "autoregressive",
  "jacobi",
  "zipar",
] as const satisfies readonly StrategyName[];

/** A strategy of drawing, with its settings. */
export type Strategy =
  | {
    /** The strategy of one code in each forward pass. */
    readonly name: "autoregressive";
  }
  | {
    /** The strategy that speculates and accepts correct drafts; lossless. */
    readonly name: "jacobi";
    /** Number of codes scored in a forward pass, 1 or more. */
    readonly window: number;
    /** Options of the speculation controller; undefined for those of a CPU. */
    readonly controller?: SpeculationOptions;
  }
  | {
    /** The strategy that starts a row before the one above ends; lossy. */
    readonly name: "zipar";
    /** The minimum lead of a row over the next, in codes, 1 or more. */
    readonly window: number;
  };

/**
 * The default window of `jacobi`: on a CPU, a larger one costs as much as it
 * saves.
 */
const JACOBI_WINDOW = 8;

/** The default window of `zipar`. Source: the paper's value for Emu3. */
const ZIPAR_WINDOW = 7;

/** Returns the strategy of a name, with default settings. */
export function strategyOf(name: StrategyName): Strategy {
  switch (name) {
    case "autoregressive":
      return { name };
    case "jacobi":
      return { name, window: JACOBI_WINDOW };
    case "zipar":
      return { name, window: ZIPAR_WINDOW };
  }
}

/**
 * Returns the lossless strategy that is fastest for one picture at a time. The
 * pictures of one request use the same strategy, so that picture i of a seed
 * does not depend on their number; for four pictures, autoregressive drawing
 * would take a CPU a seventh less time.
 *
 * On a CPU with float weights, scoring a window takes about twice as long as
 * scoring one code, in a third of the forward passes. With quantized weights,
 * the time grows almost in proportion to the scored codes. A GPU is bound by
 * memory bandwidth in any precision, so a window costs little more than one
 * code.
 *
 * @param codeBits Bits of the weights' codes; undefined for floats.
 * @param onDevice True if the model runs on a device other than a CPU.
 */
export function fastestStrategy(
  codeBits: number | undefined,
  onDevice: boolean,
): StrategyName {
  return codeBits === undefined || onDevice ? "jacobi" : "autoregressive";
}

/**
 * Returns true if pictures have the same distribution as in autoregressive
 * drawing.
 */
export function isLossless({ name }: Pick<Strategy, "name">): boolean {
  return name !== "zipar";
}
