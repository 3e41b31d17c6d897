/**
 * From logits to one token.
 *
 * ```text
 * logits ─▶ / temperature ─▶ top-k ─▶ softmax ─▶ top-p ─▶ draw
 * ```
 *
 * The order is that of the reference (transformers' `generate`: temperature,
 * top-k, top-p warpers). Ties at the k-th place are all kept, as there.
 *
 * @module
 */

import { kthLargest } from "./kth_largest.ts";

/** How tokens are chosen. */
export interface SamplingOptions {
  /** 0 takes the strongest token. */
  readonly temperature: number;
  /** Keep this many of the strongest; 0 keeps all. */
  readonly topK: number;
  /** Keep the strongest that together reach this probability, in (0, 1]. */
  readonly topP: number;
}

/** Of whatever a run of the model left that is no distribution. */
const NOT_NUMBERS = "Cannot sample: the logits are not numbers";

/** Reused: selection does not wait for anything in between. */
let found = new Int32Array();

/** What may be drawn: few tokens of many, so it is kept sparse. */
export interface Distribution {
  /** In ascending order. */
  readonly tokens: Int32Array;
  /** Of each token; sums to one. */
  readonly probabilities: Float64Array;
}

/**
 * The first of the strongest.
 *
 * @throws {RangeError} When the logits are not numbers.
 */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) {
    const value = logits[i]!;
    // Nothing is greater than NaN, so that one is found out below.
    if (value > logits[best]! || Number.isNaN(value)) best = i;
  }
  if (!Number.isFinite(logits[best])) throw new RangeError(NOT_NUMBERS);
  return best;
}

/**
 * One token from `logits`.
 *
 * @param logits `[V]`
 * @param uniform In [0, 1): where in the distribution to draw. Looked at only
 * when there is something to choose.
 * @throws {RangeError} When the logits are not numbers.
 */
export function sample(
  logits: Float32Array,
  options: SamplingOptions,
  uniform: () => number,
): number {
  if (options.temperature === 0) return argmax(logits);
  return draw(distribution(logits, options), uniform());
}

/**
 * What `options` make of `logits`; at temperature 0 the strongest alone.
 *
 * @throws {RangeError} When the logits are not numbers.
 */
export function distribution(
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
  // Loops, not callbacks: this runs once a token over tens of thousands.
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

/** The token at `uniform` of the cumulated probabilities. */
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
  // Rounding left the sum a hair below one.
  return tokens[last]!;
}

/** Indices of the `count` greatest and whatever equals the last of them. */
function strongest(logits: Float32Array, count: number): Int32Array {
  const all = count === 0 || count >= logits.length;
  const threshold = all ? -Infinity : kthLargest(logits, count);
  if (found.length < logits.length) found = new Int32Array(logits.length);
  let length = 0;
  for (let i = 0; i < logits.length; i++) {
    // NaN is kept, for the sum of probabilities to find out.
    if (!(logits[i]! < threshold)) found[length++] = i;
  }
  return found.slice(0, length);
}

/**
 * Drops the weakest that together hold at most `1 − topP`; one stays. Of equals
 * the last goes first, so that what {@linkcode argmax} takes stays; the
 * reference leaves their order open.
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
