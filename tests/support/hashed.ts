/**
 * The numbers that tests and their Python counterparts compute alike.
 *
 * @module
 */

/**
 * Returns numbers in [-0.5, 0.5), as `hashed` of tests/parity/tuning/reference.py
 * does, before they are rounded to float32.
 */
export function hashedNumbers(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let x = BigInt(i) * 2654435761n + BigInt(seed) * 40503n;
    x = BigInt.asUintN(32, x);
    x = BigInt.asUintN(32, (x ^ (x >> 15n)) * 2246822519n);
    x = x ^ (x >> 13n);
    return Number(x) / 2 ** 32 - 0.5;
  });
}
