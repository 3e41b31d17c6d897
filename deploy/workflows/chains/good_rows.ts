/**
 * The good rows of a picture: those before the first one that speaks against an
 * amended prompt.
 *
 * ```text
 * change of a row = log p(row | amended prompt) − log p(row | its prompt)
 * ```
 *
 * A row whose change lies clearly below that of the other rows is one that the
 * model would have drawn otherwise, had it known the amended prompt.
 *
 * @module
 */

/** Deviations below the median at which a row is no longer good. */
const CLEARLY_BELOW = 3;

/** Least change that counts, in nats, where all other rows change alike. */
const LEAST_CHANGE = 1;

/**
 * Returns the number of first rows to keep: none if no row stands out, since
 * then nothing says where the picture went wrong.
 *
 * @param before Log-likelihood of each row given its prompt.
 * @param after Log-likelihood of each row given the amended prompt.
 */
export function goodRows(
  before: readonly (number | null)[],
  after: readonly (number | null)[],
): number {
  const changes = before.map((value, y) => {
    const amended = after[y];
    return value === null || amended === null || amended === undefined
      ? 0
      : amended - value;
  });
  const middle = median(changes);
  // The median of absolute deviations is not moved by the rows that stand out.
  const deviation = median(changes.map((change) => Math.abs(change - middle)));
  const limit = middle - Math.max(LEAST_CHANGE, CLEARLY_BELOW * deviation);
  const bad = changes.findIndex((change) => change < limit && change < 0);
  return Math.max(0, bad);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
