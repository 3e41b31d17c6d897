/**
 * Drawing again from another distribution, with the same outcome as often as
 * can be.
 *
 * ```text
 * x drawn from q ─▶ kept with min(1, p(x) / q(x))
 *                └▶ else from max(0, p − q), normalized
 * ```
 *
 * The outcome has law p, and differs from x only as often as p and q differ in
 * total variation: no coupling does better. Source: Leviathan, Kalman, Matias,
 * "Fast Inference from Transformers via Speculative Decoding", ICML 2023.
 *
 * @module
 */

import type { Chance } from "./chance.ts";
import type { Distribution } from "./sampler.ts";

/** An outcome and the law that it has. */
export interface Outcome {
  /** One of the tokens of `law`. */
  readonly token: number;
  /** What it was drawn from. */
  readonly law: Distribution;
}

/**
 * A token with law `law` that is that of `previous` as often as can be.
 *
 * @param previous Undefined when nothing was drawn before.
 */
export function redraw(
  previous: Outcome | undefined,
  law: Distribution,
  chance: Chance,
): number {
  if (previous === undefined) return chance.pick(law);
  const { token } = previous;
  const ratio = probabilityOf(law, token) / probabilityOf(previous.law, token);
  if (ratio >= 1 || chance.accept(ratio)) return token;
  const rest = residual(law, previous.law);
  // Rounding alone made them differ.
  return rest === undefined ? token : chance.pick(rest);
}

/** Of `token`, 0 when it may not be drawn. */
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

/** What `p` has more than `q`, normalized; undefined when it has nothing more. */
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
