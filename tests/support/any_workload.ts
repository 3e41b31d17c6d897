/**
 * The arbitraries of engines and jobs, small enough to run thousands.
 *
 * @module
 */

import fc from "fast-check";
import type { Job, Machine } from "./scheduling.ts";

/** Machines, from the capacity of a single answer to that of all jobs. */
export const anyMachine: fc.Arbitrary<Machine> = fc.record({
  slots: fc.integer({ min: 1, max: 6 }),
  tokens: fc.noBias(fc.integer({ min: 20, max: 250 })),
  snapshotTokens: fc.nat(40),
  chunkLength: fc.integer({ min: 1, max: 8 }),
  maxWait: fc.nat(4),
  fairness: fc.record({
    maxPasses: fc.nat(4),
    reservedSlots: fc.nat(2),
    reservedTokens: fc.nat(40),
  }),
});

const anyShape = fc.record({
  arrival: fc.nat(60),
  long: fc.boolean(),
  rows: fc.integer({ min: 1, max: 2 }),
  system: fc.nat(2),
  length: fc.integer({ min: 1, max: 20 }),
  cut: fc.nat(10),
  share: fc.nat(100),
  group: fc.nat(8),
  caller: fc.nat(2),
});

/** Jobs of one caller that run to their ends and cache nothing. */
export const anySteadyJobs: fc.Arbitrary<Job[]> = fc.array(
  anyShape.map((shape) => ({ ...jobOf(shape), cut: 0, caller: 0 })),
  { maxLength: 20, size: "max" },
);

const anyCancel = fc.oneof(
  { weight: 5, arbitrary: fc.constant(Infinity) },
  { weight: 1, arbitrary: fc.noBias(fc.nat(120)) },
);

/** Jobs of all kinds, of which some are canceled. */
export const anyJobs: fc.Arbitrary<Job[]> = fc.array(
  fc.tuple(anyShape, anyCancel)
    .map(([shape, cancel]) => ({ ...jobOf(shape), cancel })),
  { maxLength: 24, size: "max" },
);

function jobOf(
  { arrival, long, rows, system, length, cut, share, group, caller }:
    typeof anyShape extends fc.Arbitrary<infer Shape> ? Shape : never,
): Job {
  const maxNewTokens = long ? 20 + share % 21 : 1 + share % 10;
  // The length of a picture is fixed, an answer may end early.
  const newTokens = long ? maxNewTokens : 1 + share % maxNewTokens;
  const prompts = Array.from(
    { length: rows },
    // The beginning of a prompt is shared, its end is unique.
    (_, row) =>
      Int32Array.from(
        { length: length + row },
        (_, i) => i < cut ? system : 1000 * arrival + share,
      ),
  );
  return {
    arrival,
    prompts,
    cut,
    maxNewTokens,
    newTokens,
    long,
    group,
    caller,
    cancel: Infinity,
  };
}
