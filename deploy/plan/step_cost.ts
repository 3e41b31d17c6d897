/**
 * The durations of the language model's runs, interpolated linearly between
 * measured sizes.
 *
 * ```text
 * step      by rows      table(rows) + held · (tokens that the rows hold)
 * wide      by rows      speculative steps
 * prefill   by tokens    of a chunk
 * ```
 *
 * @module
 */

/** A measured duration. */
export interface Measured {
  /** Size of the run, in rows or tokens. */
  readonly size: number;
  /** Duration in milliseconds. */
  readonly milliseconds: number;
}

/** Measured durations, by ascending size. */
export type CostTable = readonly Measured[];

/** The durations of each kind of run. */
export interface StepCosts {
  /** Duration of a decode step, by rows. */
  readonly step: CostTable;
  /** Added for each token that the rows hold. */
  readonly heldTokenMs: number;
  /** Duration of a prefill chunk, by tokens. */
  readonly prefill: CostTable;
  /** Duration of a speculative step, by rows; empty if there is none. */
  readonly wide: CostTable;
}

/**
 * Returns the duration for `size`; beyond the table's ends, that of the nearest
 * end.
 */
export function costOf(table: CostTable, size: number): number {
  const above = table.findIndex((measured) => measured.size >= size);
  const high = table[above];
  if (high === undefined) return table.at(-1)?.milliseconds ?? 0;
  const low = table[above - 1];
  if (low === undefined || high.size === size) return high.milliseconds;
  const share = (size - low.size) / (high.size - low.size);
  return low.milliseconds + share * (high.milliseconds - low.milliseconds);
}
