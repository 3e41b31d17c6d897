/**
 * The counter-based random numbers, looked up by key instead of generated in
 * order.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy
 * as 1, 2, 3", SC'11) is a function from a key and a counter to random bits.
 * With the seed as key and (image, position, attempt) as counter, a draw does
 * not depend on earlier or concurrent draws.
 *
 * @module
 */

/** The key of random bits for one position. */
export interface DrawKey {
  /** Seed, 0 … 2^53 − 1. */
  readonly seed: number;
  /** Index of the picture, or of any other independent stream. */
  readonly stream: number;
}

const ROUNDS = 10;

/** The multipliers and key increments of Philox. */
const M0 = 0xd251_1f53;
const M1 = 0xcd9e_8d57;
const W0 = 0x9e37_79b9;
const W1 = 0xbb67_ae85;

/**
 * Returns a number in [0, 1), uniform with 53 bits, for `position` of a stream.
 *
 * @param draw Index of the number, for positions that need several.
 */
export function uniformAt(
  { seed, stream }: DrawKey,
  position: number,
  draw = 0,
): number {
  const [low, high] = philox(
    [position >>> 0, Math.floor(position / 2 ** 32), stream >>> 0, draw >>> 0],
    [seed >>> 0, Math.floor(seed / 2 ** 32)],
  );
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** Returns four random words for a counter of four words and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = Math.imul(M0, c0) >>> 0;
    const low1 = Math.imul(M1, c2) >>> 0;
    const high0 = multiplyHigh(M0, c0);
    const high1 = multiplyHigh(M1, c2);
    [c0, c1, c2, c3] = [
      (high1 ^ c1 ^ k0) >>> 0,
      low1,
      (high0 ^ c3 ^ k1) >>> 0,
      low0,
    ];
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Returns the upper 32 bits of a 32 × 32 bit product. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 2 ** 16);
  const cross = aLow * bHigh + (middle % 2 ** 16);
  return aHigh * bHigh + Math.floor(middle / 2 ** 16) +
    Math.floor(cross / 2 ** 16);
}
