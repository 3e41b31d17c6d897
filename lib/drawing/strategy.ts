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

/** Rows of a guided picture, and tokens of a window that score no code. */
const GUIDED_ROWS = 2;
const ROW_ENDS = 1;

/** The default window of `zipar`. Source: the paper's value for Emu3. */
const ZIPAR_WINDOW = 7;

/**
 * Returns the strategy of a name.
 *
 * @param window Number of codes that `jacobi` scores in a forward pass; by
 * default that of a CPU.
 */
export function strategyOf(
  name: StrategyName,
  window: number = JACOBI_WINDOW,
): Strategy {
  switch (name) {
    case "autoregressive":
      return { name };
    case "jacobi":
      return { name, window };
    case "zipar":
      return { name, window: ZIPAR_WINDOW };
  }
}

/**
 * Returns the largest window of `jacobi`, up to the default, in which the
 * forward passes of a guided picture stay within `fusedTokens`; the default if
 * not even a single draft does, since then the size makes no difference.
 *
 * @param fusedTokens The maximum number of tokens of a forward pass for which
 * products with quantized matrices are fused.
 */
export function jacobiWindow(fusedTokens: number): number {
  const fused = fusedWindow(fusedTokens);
  return fused > 1 ? Math.min(fused, JACOBI_WINDOW) : JACOBI_WINDOW;
}

/** Returns the number of codes of a window of two rows. */
function fusedWindow(fusedTokens: number): number {
  return Math.floor(fusedTokens / GUIDED_ROWS) - ROW_ENDS;
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
 * memory bandwidth, so a window costs little more than one code, unless its
 * tokens are too many for fused products: then each forward pass dequantizes
 * all matrices, which takes about three times as long.
 *
 * @param codeBits Bits of the weights' codes; undefined for floats.
 * @param onDevice True if the model runs on a device other than a CPU.
 * @param fusedTokens The maximum number of tokens of a forward pass for which
 * products with matrices of these bits are fused.
 */
export function fastestStrategy(
  codeBits: number | undefined,
  onDevice: boolean,
  fusedTokens = Infinity,
): StrategyName {
  if (codeBits === undefined) return "jacobi";
  // A window of one code has no drafts.
  const drafts = onDevice && fusedWindow(fusedTokens) > 1;
  return drafts ? "jacobi" : "autoregressive";
}

/**
 * Returns true if pictures have the same distribution as in autoregressive
 * drawing.
 */
export function isLossless({ name }: Pick<Strategy, "name">): boolean {
  return name !== "zipar";
}
