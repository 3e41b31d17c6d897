/**
 * Numbers in OpenAI's ranges, which are wider than ours.
 *
 * @module
 */

import * as v from "valibot";

/**
 * A seed of 64 bits with a sign. JSON's numbers tell whole numbers beyond 2⁵³
 * apart no more, so the largest is 2⁶³ once it is read.
 */
export const WideSeed = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(-(2 ** 63)),
  v.maxValue(2 ** 63),
  v.description(
    "Same seed, same codes. Random when left out. Any signed 64-bit number, of which the low 53 bits count.",
  ),
);

/** How much of the probability to draw from, and nothing of it. */
export const WideTopP = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(1),
  v.description("0 takes the strongest token."),
);

/** Bits of the seeds that we have. */
const SEED_BITS = 53;

/** Returns our seed for one of OpenAI's: itself, where it is one of ours. */
export function seedOf(seed: number | undefined): number | undefined {
  return seed === undefined
    ? undefined
    : Number(BigInt.asUintN(SEED_BITS, BigInt(seed)));
}

/** Returns our share for one of OpenAI's; what is above zero holds a token. */
export function topPOf(share: number | undefined): number | undefined {
  return share === 0 ? Number.EPSILON : share;
}
