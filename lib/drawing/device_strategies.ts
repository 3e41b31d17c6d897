/**
 * The strategies of drawing that a device supports, and the fastest of them.
 *
 * @module
 */

import type { CodeBits } from "../../models/graph/weights.ts";
import type { CacheDtype, Provider } from "../runtime/provider.ts";
import {
  fastestStrategy,
  jacobiWindow,
  STRATEGY_NAMES,
  type StrategyName,
} from "./strategy.ts";

/** The strategies of a model on a device. */
export interface DeviceStrategies {
  /** Supported strategies, the simplest first. */
  readonly strategies: readonly StrategyName[];
  /** Strategy that pictures are drawn with, unless a request sets one. */
  readonly strategy: StrategyName;
  /** Codes that `jacobi` scores in a forward pass. */
  readonly window: number;
}

/**
 * Returns the strategies of a model.
 *
 * @param codeBits Bits of the weights' codes; undefined for floats.
 * @param options The chosen strategy, undefined for the fastest, and type of
 * the KV cache, undefined for one of floats.
 * @throws {RangeError} If the chosen strategy is not supported.
 */
export function deviceStrategies(
  provider: Pick<
    Provider,
    "name" | "deviceMemory" | "fusedTokens" | "int8CacheBias"
  >,
  codeBits: CodeBits | undefined,
  { strategy: chosen, cacheDtype }: {
    readonly strategy: StrategyName | undefined;
    readonly cacheDtype: CacheDtype | undefined;
  },
): DeviceStrategies {
  const { name, deviceMemory, fusedTokens } = provider;
  const fused = codeBits === undefined ? Infinity : fusedTokens[codeBits];
  const fastest = fastestStrategy(codeBits, deviceMemory !== undefined, fused);
  // Codes of several rows at once have given positions and biases.
  const places = cacheDtype !== "int8" || provider.int8CacheBias;
  const strategies = STRATEGY_NAMES.filter((name) =>
    name !== "zipar" || places
  );
  const strategy = chosen ?? fastest;
  if (!strategies.includes(strategy)) {
    throw new RangeError(
      `Cannot draw by ${strategy} over a KV cache in int8 on ${name}: unset STRATEGY or KV_PRECISION`,
    );
  }
  return { strategies, strategy, window: jacobiWindow(fused) };
}
