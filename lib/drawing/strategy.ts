/**
 * Ways to draw a picture, and what they promise.
 *
 * @module
 */

import type { PatienceOptions } from "./speculation.ts";

/** A way to draw. */
export type StrategyName = "autoregressive" | "jacobi" | "zipar";

/** Every way, the plainest first. */
export const STRATEGY_NAMES = [
  "autoregressive",
  "jacobi",
  "zipar",
] as const satisfies readonly StrategyName[];

/** A way to draw, with its settings. */
export type Strategy =
  | {
    /** One code a forward. */
    readonly name: "autoregressive";
  }
  | {
    /** Guesses ahead and keeps what was right; the law stays as it is. */
    readonly name: "jacobi";
    /** Codes judged a forward, 1 or more. */
    readonly window: number;
    /** When guessing is worth it; undefined for what fits a CPU. */
    readonly patience?: PatienceOptions;
  }
  | {
    /** Starts a row before the one above is done: another law. */
    readonly name: "zipar";
    /** Codes a row is ahead of the next at least, 1 or more. */
    readonly window: number;
  };

/** Codes that a forward of `jacobi` judges: more cost a CPU what they save. */
const JACOBI_WINDOW = 8;

/** Source: the paper's own choice for Emu3. */
const ZIPAR_WINDOW = 7;

/** A way by its name, with settings that do well. */
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
 * The lossless way that is fastest for one picture at a time. Several of one
 * request are drawn in the same way, so that picture i of a seed is the same
 * whatever their number is; of four, one code after the other would take a CPU
 * a seventh less time.
 *
 * On a CPU judging a window takes about twice as long as judging one code while
 * weights are floats, in a third of the forwards. In few bits a forward takes
 * longer by almost as much as it judges more. A GPU waits for weights in any
 * precision, and judges a window on the way.
 *
 * @param codeBits Bits of the weights' codes; undefined where they are floats.
 * @param onDevice Whether it runs elsewhere than on a CPU.
 */
export function fastestStrategy(
  codeBits: number | undefined,
  onDevice: boolean,
): StrategyName {
  return codeBits === undefined || onDevice ? "jacobi" : "autoregressive";
}

/** Whether pictures have the law that one code after the other has. */
export function isLossless({ name }: Pick<Strategy, "name">): boolean {
  return name !== "zipar";
}
