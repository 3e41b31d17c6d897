/**
 * The maximal coupling: resamples from another distribution, with the same
 * outcome as often as possible.
 *
 * ```text
 * x drawn from q ─▶ kept with min(1, p(x) / q(x))
 *                └▶ else from max(0, p − q), normalized
 * ```
 *
 * The outcome has distribution p, and differs from x with the total variation
 * distance of p and q, the minimum of all couplings. Source: Leviathan, Kalman,
 * Matias, "Fast Inference from Transformers via Speculative Decoding", ICML
 * 2023.
 *
 * @module
 */

import type { Chance } from "./chance.ts";
import type { Distribution } from "./sampler.ts";

/** An outcome and its distribution. */
export interface Outcome {
  /** Token of the outcome, which is in `distribution`. */
  readonly token: number;
  /** Distribution that it was drawn from. */
  readonly distribution: Distribution;
}

/**
 * Draws a token from a distribution; it equals the token of `previous` as often
 * as possible.
 *
 * @param previous The last outcome; undefined for the first draw.
 */
export function resample(
  previous: Outcome | undefined,
  distribution: Distribution,
  chance: Chance,
): number {
  if (previous === undefined) return chance.pick(distribution);
  const { token } = previous;
  const ratio = probabilityOf(distribution, token) /
    probabilityOf(previous.distribution, token);
  if (ratio >= 1 || chance.accept(ratio)) return token;
  const rest = residual(distribution, previous.distribution);
  // The distributions differ by rounding only.
  return rest === undefined ? token : chance.pick(rest);
}

/** Returns the probability of `token`; 0 if it cannot be drawn. */
export function probabilityOf(
  { tokens, probabilities }: Distribution,
  token: number,
): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tokens[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return tokens[low] === token ? probabilities[low]! : 0;
}

/** Returns max(0, p − q), normalized; undefined if it is zero everywhere. */
export function residual(
  p: Distribution,
  q: Distribution,
): Distribution | undefined {
  const excess = new Float64Array(p.tokens.length);
  let sum = 0;
  let at = 0;
  for (let i = 0; i < excess.length; i++) {
    const token = p.tokens[i]!;
    while (at < q.tokens.length && q.tokens[at]! < token) at++;
    const other = q.tokens[at] === token ? q.probabilities[at]! : 0;
    excess[i] = Math.max(0, p.probabilities[i]! - other);
    sum += excess[i]!;
  }
  if (sum === 0) return undefined;
  for (let i = 0; i < excess.length; i++) excess[i]! /= sum;
  return { tokens: p.tokens, probabilities: excess };
}
