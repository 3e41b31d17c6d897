/**
 * The law of kills: processes killed at any moment change no output of a chain,
 * and no picture is drawn twice.
 *
 * `CHAIN_TRIALS` sets the number of kills, `CHAIN_SEED` their seed.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { checkSame } from "../support/check_same.ts";
import { startStack } from "./harness/stack.ts";
import { type Drawing, drawings } from "./trials/drawings.ts";
import { killTrials, runKilled, runWhole } from "./trials/kill_trial.ts";
import { TRIAL_CASES } from "./trials/trial_cases.ts";

const TRIALS = Number(Deno.env.get("CHAIN_TRIALS") ?? 3);
const SEED = Number(Deno.env.get("CHAIN_SEED") ?? Date.now() % 2 ** 31);

Deno.test(`Chains end right, and draw each picture once, over ${TRIALS} kills at any moment`, async () => {
  const trials = killTrials(TRIALS, SEED);
  // A stopped server interrupts its pictures in place of finishing them.
  const emu3Env = { SHUTDOWN_GRACE_S: "0" };
  await using stack = await startStack({ mini: true, emu3Env });
  await runWhole(stack, TRIAL_CASES.slice(0, 1), "warm-up");
  const whole = await runWhole(stack, TRIAL_CASES, "whole");
  for (const [i, trial] of trials.entries()) {
    const words = `trial ${i} of seed ${SEED}: ${JSON.stringify(trial)}`;
    const afterMs = trial.moment * whole.ms;
    const name = `trial${i}`;
    const ends = await runKilled(stack, TRIAL_CASES, name, trial, afterMs);
    checkSame(ends, whole.ends, words);
    deepStrictEqual(await unended(stack.emu3.url), [], words);
  }
  // Its store is open to one process alone.
  await stack.emu3.stop();
  const all = drawings(join(stack.folder, "jobs.sqlite"));
  const expected = bodiesOf(all, "whole");
  for (const i of trials.keys()) {
    deepStrictEqual(bodiesOf(all, `trial${i}`), expected, `trial ${i}`);
  }
  for (const { key, status, rows, total } of all) {
    strictEqual(status, "succeeded", key);
    strictEqual(rows, total, key);
  }
});

/** Returns the jobs that a server queues or runs. */
async function unended(url: string): Promise<unknown[]> {
  const { data } = await (await fetch(`${url}/v1/jobs`)).json();
  return data.filter(({ status }: { status: string }) =>
    status === "queued" || status === "running"
  );
}

/** Returns the requests of the drawings of a trial. */
function bodiesOf(all: readonly Drawing[], name: string): string[] {
  return all.filter(({ key }) => key.split("/")[1]!.startsWith(`${name}-`))
    .map(({ body }) => body).sort();
}
