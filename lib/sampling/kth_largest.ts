/**
 * Selection without sorting.
 *
 * @module
 */

/** Bins of the first pass: one for each upper half of a float. */
const BINS = 2 ** 16;

/** Reused: selection does not wait for anything in between. */
const counts = new Int32Array(BINS);

/**
 * The `k`-th greatest of `values`, counted from one.
 *
 * Floats are read as integers that sort alike; a histogram of their upper
 * halves finds the bin, and only that bin is sorted.
 *
 * @param k 1 … `values.length`.
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

/** Negative floats sort backwards as integers: flip all but their sign. */
function binOf(bits: number): number {
  const ordered = bits ^ ((bits >> 31) & 0x7fff_ffff);
  return (ordered >> 16) + BINS / 2;
}
