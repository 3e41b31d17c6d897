/**
 * The numbers in OpenAI's ranges, which are wider than those of this server.
 *
 * @module
 */

import * as v from "valibot";

/**
 * The schema of a signed 64-bit seed. JSON's numbers are inexact beyond 2⁵³, so
 * the largest is 2⁶³ once it is parsed.
 */
export const WideSeed = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(-(2 ** 63)),
  v.maxValue(2 ** 63),
  v.description(
    "Random seed. The same seed gives the same codes. Random by default. Any signed 64-bit integer, of which the low 53 bits are used.",
  ),
);

/** The schema of OpenAI's top-p share, which may be zero. */
export const WideTopP = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(1),
  v.description("Sampling temperature; 0 selects the most likely token."),
);

/** The number of bits of a seed. */
const SEED_BITS = 53;

/** Returns the seed for one of OpenAI's: itself if it is in range. */
export function seedOf(seed: number | undefined): number | undefined {
  return seed === undefined
    ? undefined
    : Number(BigInt.asUintN(SEED_BITS, BigInt(seed)));
}

/**
 * Returns the top-p share for one of OpenAI's; any share above zero keeps a
 * token.
 */
export function topPOf(share: number | undefined): number | undefined {
  return share === 0 ? Number.EPSILON : share;
}
