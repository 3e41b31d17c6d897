/**
 * The sampler: logits to one token.
 *
 * ```text
 * logits ─▶ / temperature ─▶ top-k ─▶ softmax ─▶ top-p ─▶ draw
 * ```
 *
 * The order is that of the reference (transformers' `generate`: temperature,
 * top-k, top-p warpers). All ties at the k-th place are kept, as in the
 * reference.
 *
 * @module
 */

import { kthLargest } from "./kth_largest.ts";

/** Options that choose each token. */
export interface SamplingOptions {
  /** Temperature; 0 takes the most probable token. */
  readonly temperature: number;
  /** Number of the most probable tokens to keep; 0 keeps all. */
  readonly topK: number;
  /** Cumulative probability of the tokens to keep, in (0, 1]. */
  readonly topP: number;
}

/** The message for logits that define no distribution. */
const NOT_NUMBERS = "Cannot sample: the logits contain NaN";

/** A shared buffer, which is safe because selection is synchronous. */
let found = new Int32Array();

/** A sparse distribution over the few tokens that can be drawn. */
export interface Distribution {
  /** Tokens in ascending order. */
  readonly tokens: Int32Array;
  /** Probability of each token; they sum to one. */
  readonly probabilities: Float64Array;
}

/**
 * Returns the first of the greatest logits.
 *
 * @throws {RangeError} If a logit is NaN, or none is finite.
 */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) {
    const value = logits[i]!;
    // No number is greater than NaN, so a NaN stays the best and is found
    // below.
    if (value > logits[best]! || Number.isNaN(value)) best = i;
  }
  if (!Number.isFinite(logits[best])) throw new RangeError(NOT_NUMBERS);
  return best;
}

/**
 * Returns one token from `logits`.
 *
 * @param logits Logits, `[V]`.
 * @param uniform Random number in [0, 1) that selects the token; unused at
 * temperature 0.
 * @throws {RangeError} If a logit is NaN, or none is finite.
 */
export function sample(
  logits: Float32Array,
  options: SamplingOptions,
  uniform: () => number,
): number {
  if (options.temperature === 0) return argmax(logits);
  return draw(distributionOf(logits, options), uniform());
}

/**
 * Returns the distribution of `logits` under `options`; at temperature 0 the
 * most probable token alone.
 *
 * @throws {RangeError} If a logit is NaN, or none is finite.
 */
export function distributionOf(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
): Distribution {
  if (temperature === 0) {
    return {
      tokens: Int32Array.of(argmax(logits)),
      probabilities: Float64Array.of(1),
    };
  }
  const tokens = strongest(logits, topK);
  // Loops instead of callbacks, since this runs over tens of thousands of
  // logits for every token.
  let peak = -Infinity;
  for (let i = 0; i < tokens.length; i++) {
    const logit = logits[tokens[i]!]!;
    if (logit > peak) peak = logit;
  }
  const probabilities = new Float64Array(tokens.length);
  for (let i = 0; i < tokens.length; i++) {
    probabilities[i] = Math.exp((logits[tokens[i]!]! - peak) / temperature);
  }
  normalize(probabilities);
  const kept = { tokens, probabilities };
  return topP < 1 ? nucleus(kept, topP) : kept;
}

/** Returns the token whose cumulative probability range contains `uniform`. */
export function draw(
  { tokens, probabilities }: Distribution,
  uniform: number,
): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (probabilities[i] === 0) continue;
    sum += probabilities[i]!;
    if (uniform < sum) return tokens[i]!;
    last = i;
  }
  // The sum is slightly below one by rounding.
  return tokens[last]!;
}

/**
 * Returns the indices of the `count` greatest logits, and of all ties with the
 * last of them.
 */
function strongest(logits: Float32Array, count: number): Int32Array {
  const all = count === 0 || count >= logits.length;
  const threshold = all ? -Infinity : kthLargest(logits, count);
  if (found.length < logits.length) found = new Int32Array(logits.length);
  let length = 0;
  for (let i = 0; i < logits.length; i++) {
    // NaN is kept, so that the sum of probabilities is NaN.
    if (!(logits[i]! < threshold)) found[length++] = i;
  }
  return found.slice(0, length);
}

/**
 * Drops the least probable tokens with a total probability of at most `1 −
 * topP`, and keeps at least one. On ties the last is dropped first, so that the
 * token of {@linkcode argmax} stays; the order of ties is undefined in the
 * reference.
 */
function nucleus(
  { tokens, probabilities }: Distribution,
  topP: number,
): Distribution {
  const ascending = [...probabilities.keys()].sort((a, b) =>
    probabilities[a]! - probabilities[b]! || b - a
  );
  const dropped = new Set<number>();
  let sum = 0;
  for (const i of ascending.slice(0, -1)) {
    sum += probabilities[i]!;
    if (sum > 1 - topP) break;
    dropped.add(i);
  }
  const keep = (_: number, i: number) => !dropped.has(i);
  const kept = probabilities.filter(keep);
  normalize(kept);
  return { tokens: tokens.filter(keep), probabilities: kept };
}

function normalize(weights: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]!;
  if (!(sum > 0 && sum < Infinity)) {
    throw new RangeError(NOT_NUMBERS);
  }
  for (let i = 0; i < weights.length; i++) weights[i]! /= sum;
}
