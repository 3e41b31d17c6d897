/**
 * The tests of random faults: a download ends with the right files or an error
 * with its reason, and no half-written file is visible. FAULT_RUNS sets the
 * number of runs; `deno task test:faults` does 300.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import pLimit from "p-limit";
import { downloadUnder, faultPlanOf } from "../support/faulty_downloads.ts";

const RUNS = Number(Deno.env.get("FAULT_RUNS") ?? 20);

/** Concurrent runs: most of a run is waiting. */
const AT_ONCE = 6;

Deno.test(`obtain() completes or fails with a reason over ${RUNS} downloads with faults and kills`, async () => {
  const limit = pLimit(AT_ONCE);
  const outcomes = await Promise.all(
    Array.from({ length: RUNS }, (_, seed) =>
      limit(async () => {
        try {
          return await downloadUnder(faultPlanOf(seed));
        } catch (cause) {
          throw new Error(`Cannot download under the faults of seed ${seed}`, {
            cause,
          });
        }
      })),
  );
  const good = outcomes.filter((outcome) => "folder" in outcome).length;
  ok(good > RUNS / 10, `${good} of ${RUNS} came through`);
});

Deno.test("obtain() reports the reason if every request fails", async () => {
  const outcome = await downloadUnder({
    seed: 1,
    rate: 1,
    faults: () => ({ type: "status", status: 500 }),
    kills: [],
    partBytes: 2 ** 15,
  });
  ok("error" in outcome);
});
