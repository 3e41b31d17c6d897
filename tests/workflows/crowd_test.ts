/**
 * The law of crowds: chains that wait as long as Retry-After says all succeed,
 * with few requests, and do not delay another caller.
 *
 * `CHAIN_CROWD` sets their number.
 */

import { ok, strictEqual } from "node:assert/strict";
import { runCrowd, startCrowdStack } from "./trials/crowd.ts";

const CHAINS = Number(Deno.env.get("CHAIN_CROWD") ?? 50);

/** Requests of a chain that never waits. */
const LEAST_REQUESTS = 6;

/** Pictures that the server draws at once. */
const SLOTS = 8;

Deno.test(`${CHAINS} chains at once succeed by Retry-After alone, and pass no other caller by`, async () => {
  await using crowd = await startCrowdStack();
  const { succeeded, singles } = await runCrowd(crowd, CHAINS);
  strictEqual(succeeded, CHAINS);
  const counts = JSON.stringify(crowd.counter.counts());
  const requests = crowd.counter.requests.length / CHAINS;
  // Without turns, hundreds of them come back every second.
  ok(requests < 3 * LEAST_REQUESTS, `${requests} a chain: ${counts}`);
  // Those that were drawn when it came, and as many beside it.
  const most = Math.max(...singles.map(({ passed }) => passed));
  ok(
    most <= 2 * SLOTS,
    `${most} pictures passed it: ${JSON.stringify(singles)}`,
  );
});
