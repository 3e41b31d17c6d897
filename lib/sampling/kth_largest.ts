/**
 * The selection of the k-th largest value without sorting.
 *
 * @module
 */

/** Number of bins of the first pass: one for each upper half of a float. */
const BINS = 2 ** 16;

/** A shared buffer, which is safe because selection is synchronous. */
const counts = new Int32Array(BINS);

/**
 * Returns the `k`-th greatest of `values`, counted from one.
 *
 * Floats are compared as integers of the same order; a histogram of their upper
 * halves finds the bin, and only that bin is sorted.
 *
 * @param k Rank, 1 … `values.length`.
 */
export function kthLargest(values: Float32Array, k: number): number {
  const { buffer, byteOffset, length } = values;
  const bits = new Int32Array(buffer, byteOffset, length);
  counts.fill(0);
  for (let i = 0; i < length; i++) counts[binOf(bits[i]!)]!++;
  let bin = BINS - 1;
  let above = 0;
  while (above + counts[bin]! < k) above += counts[bin--]!;
  const inBin = new Float32Array(counts[bin]!);
  let next = 0;
  for (let i = 0; i < length; i++) {
    if (binOf(bits[i]!) === bin) inBin[next++] = values[i]!;
  }
  inBin.sort();
  return inBin[inBin.length - (k - above)]!;
}

/**
 * Returns the bin of a float. Negative floats are in reverse order as integers,
 * so all bits but their sign are flipped.
 */
function binOf(bits: number): number {
  const ordered = bits ^ ((bits >> 31) & 0x7fff_ffff);
  return (ordered >> 16) + BINS / 2;
}
