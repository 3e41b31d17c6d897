/**
 * The log-probabilities and entropy of a choice under the model's distribution.
 *
 * @module
 */

/** A code and its log-probability. */
export interface Alternative {
  /** Index into the codebook. */
  readonly code: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

/** The scores at one position. */
export interface TokenScore {
  /** Log-probability of the code that was drawn. */
  readonly logprob: number;
  /** Entropy of the whole distribution, in nats. */
  readonly entropy: number;
  /** The most probable codes, most probable first. */
  readonly strongest: readonly Alternative[];
}

/**
 * Scores `choice` under guided logits.
 *
 * Temperature, top-k and top-p do not apply: they affect the sampling, not the
 * model's distribution.
 *
 * @param logits Logits `[V]`, guided and constrained to codes.
 * @param choice The code that was drawn.
 * @param count Number of the most probable codes to list.
 */
export function scoreToken(
  logits: Float32Array,
  choice: number,
  count: number,
): TokenScore {
  const peak = logits.reduce((best, value) => Math.max(best, value), -Infinity);
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < logits.length; i++) {
    const centered = logits[i]! - peak;
    const weight = Math.exp(centered);
    sum += weight;
    // Here 0 · −∞ counts as 0.
    if (weight > 0) weighted += weight * centered;
  }
  const normalizer = peak + Math.log(sum);
  return {
    logprob: logits[choice]! - normalizer,
    entropy: Math.log(sum) - weighted / sum,
    strongest: strongestOf(logits, count).map((code) => ({
      code,
      logprob: logits[code]! - normalizer,
    })),
  };
}

/**
 * Returns the log-probability of `choice` alone.
 *
 * @param logits Logits `[V]`, guided and constrained.
 */
export function logProbability(logits: Float32Array, choice: number): number {
  let peak = -Infinity;
  for (let i = 0; i < logits.length; i++) peak = Math.max(peak, logits[i]!);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - peak);
  return logits[choice]! - (peak + Math.log(sum));
}

/**
 * Returns the indices of the `count` greatest logits, in descending order; the
 * lower index first on ties.
 */
function strongestOf(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!;
    if (best.length === count && !(value > (logits[best.at(-1) ?? i]!))) {
      continue;
    }
    const at = best.findIndex((other) => value > logits[other]!);
    best.splice(at === -1 ? best.length : at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
