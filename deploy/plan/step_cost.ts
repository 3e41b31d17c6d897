/**
 * How long runs of the language model take, by what was measured: between two
 * measured sizes along the line through them.
 *
 * ```text
 * step      by rows      table(rows) + held · (tokens that the rows hold)
 * wide      by rows      of those that guess ahead
 * prefill   by tokens    of a chunk
 * ```
 *
 * @module
 */

import { type Fields, PlanError } from "./fields.ts";

/** A measured time. */
export interface Measured {
  /** Rows, or tokens. */
  readonly size: number;
  /** How long it takes. */
  readonly milliseconds: number;
}

/** Measured times, by ascending size. */
export type CostTable = readonly Measured[];

/** How long each kind of run takes. */
export interface StepCosts {
  /** Feeding a token to each of several rows. */
  readonly step: CostTable;
  /** Added for each token that the rows hold. */
  readonly heldTokenMs: number;
  /** A chunk of a prompt. */
  readonly prefill: CostTable;
  /** A run of a request that guesses ahead; empty where none does. */
  readonly wide: CostTable;
}

/** What the table says of `size`; beyond its ends, what stands there. */
export function costOf(table: CostTable, size: number): number {
  const above = table.findIndex((measured) => measured.size >= size);
  const high = table[above];
  if (high === undefined) return table.at(-1)?.milliseconds ?? 0;
  const low = table[above - 1];
  if (low === undefined || high.size === size) return high.milliseconds;
  const share = (size - low.size) / (high.size - low.size);
  return low.milliseconds + share * (high.milliseconds - low.milliseconds);
}

/**
 * A table from an object such as `{"2": 24.9, "16": 61}`.
 *
 * @param most The largest size that is asked for: the table must reach it.
 * @throws {PlanError} When it is none.
 */
export function costTable(fields: Fields, most: number): CostTable {
  const table = fields.names.map((name): Measured => {
    if (!/^[1-9]\d{0,6}$/.test(name)) {
      throw new PlanError(
        `${fields.pointer}/${name}`,
        "expected names that are whole numbers",
      );
    }
    const milliseconds = fields.number(name, { above: 0 });
    return { size: Number(name), milliseconds };
  }).sort((a, b) => a.size - b.size);
  fields.end();
  const largest = table.at(-1)?.size ?? 0;
  if (largest >= most) return table;
  throw new PlanError(
    fields.pointer,
    `expected a time for ${most}, the largest is for ${largest}`,
  );
}
