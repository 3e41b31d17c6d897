/**
 * The shares of sequences that run side by side, so that all end at about the
 * same time.
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import { matrixWeightCount } from "../../../models/tuning/layer_parts.ts";
import { trainedLayers, type TuningMethod } from "../method.ts";
import type { TuningSequence } from "../sequence.ts";
import { labeledPart } from "./labeled_part.ts";

/** Products with each weight: forward and backward, and those of the base. */
const TRAINED_PRODUCTS = 2;
const REPLAYED_PRODUCTS = 3;

/**
 * Returns about how long a sequence takes: its products with weights of the
 * layers and of the head.
 */
export function sequenceCost(
  config: LanguageConfig,
  method: TuningMethod,
  sequence: TuningSequence,
): number {
  const { vocabularySize, hiddenSize, layers } = config;
  const layer = matrixWeightCount(config);
  const products = sequence.replayed ? REPLAYED_PRODUCTS : TRAINED_PRODUCTS;
  const [first = layers] = trainedLayers(config, method);
  const { tokens, targets } = labeledPart(sequence);
  return tokens.length * layer * (first + products * (layers - first)) +
    targets.length * vocabularySize * hiddenSize * products;
}

/**
 * Returns the indices of `costs` in `parallel` shares, ascending in each: the
 * greatest costs are given away first, each to the share that has the least so
 * far (Graham 1969).
 */
export function sharesOf(
  costs: readonly number[],
  parallel: number,
): number[][] {
  const shares = Array.from({ length: parallel }, () => ({
    indices: [] as number[],
    cost: 0,
  }));
  const descending = [...costs.entries()].sort(([, a], [, b]) => b - a);
  for (const [index, cost] of descending) {
    const least = shares.reduce((a, b) => b.cost < a.cost ? b : a);
    least.indices.push(index);
    least.cost += cost;
  }
  return shares.map(({ indices }) => indices.sort((a, b) => a - b));
}
