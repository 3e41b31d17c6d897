/**
 * The laws of admission, prefill order, budget and prefix cache together, on
 * thousands of random workloads.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { anyJobs, anyMachine } from "../../support/any_workload.ts";
import {
  type Job,
  type Machine,
  type Queued,
  Simulation,
} from "../../support/scheduling.ts";

Deno.test("Scheduling ends every request once, and loses nothing", () => {
  const ends = { done: 0, canceled: 0, refused: 0 };
  forAll((simulation, jobs) => {
    simulation.run();
    strictEqual(simulation.ends.size, jobs.length);
    strictEqual(simulation.budget.idle.length, simulation.machine.slots);
    for (const end of simulation.ends.values()) ends[end]++;
  });
  // The workloads cover all kinds.
  ok(Math.min(...Object.values(ends)) > 1000, JSON.stringify(ends));
});

Deno.test("Scheduling lets no request wait while no other runs", () => {
  forAll((simulation) => {
    simulation.onAdmitted = () =>
      ok(simulation.waiting.length === 0 || simulation.active.length > 0);
    simulation.run();
  });
});

Deno.test("Scheduling passes a request a bounded number of times while no picture runs", () => {
  forAll((simulation, _, { fairness: { maxPasses } }) => {
    const passes = new Map<Queued, number>();
    simulation.onStart = (_, index) => {
      if (simulation.running.some(({ long }) => long)) return;
      for (const other of simulation.waiting.slice(0, index)) {
        passes.set(other, 1 + (passes.get(other) ?? 0));
      }
    };
    simulation.run();
    ok(Math.max(0, ...passes.values()) <= maxPasses);
  });
});

Deno.test("Scheduling lets a bounded number of pictures pass a request", () => {
  forAll((simulation, _, { fairness: { maxPasses } }) => {
    const passes = new Map<Queued, number>();
    simulation.onStart = (started, index) => {
      if (!started.long) return;
      for (const other of simulation.waiting.slice(0, index)) {
        passes.set(other, 1 + (passes.get(other) ?? 0));
      }
    };
    simulation.run();
    ok(Math.max(0, ...passes.values()) <= maxPasses);
  });
});

Deno.test("Scheduling starts an answer at once in the slots and tokens that pictures leave free", () => {
  let beside = 0;
  forAll((simulation, _, { slots, tokens, fairness }) => {
    const { reservedSlots, reservedTokens } = fairness;
    simulation.onAdmitted = () => {
      const { running, waiting } = simulation;
      const rows = running.flatMap(({ rows }) => rows);
      const spared = running.every(({ long }) => long) &&
        rows.length <= slots - reservedSlots &&
        rows.reduce((sum, row) => sum + row, 0) <= tokens - reservedTokens;
      const answer = waiting.find(({ long }) => !long);
      if (!spared || answer === undefined) return;
      const needed = answer.rows.reduce((sum, row) => sum + row, 0);
      ok(answer.rows.length > reservedSlots || needed > reservedTokens);
    };
    simulation.onStart = (started) => {
      const long = simulation.running.some(({ long }) => long);
      if (!started.long && long) beside++;
    };
    simulation.run();
  });
  ok(beside > 1000, `${beside} answers beside pictures`);
});

Deno.test("Scheduling saves prefills by prefixes on random workloads, too", () => {
  let tokensSaved = 0;
  forAll((simulation) => {
    simulation.run();
    tokensSaved += simulation.prefixes.counts.tokensSaved;
  });
  ok(tokensSaved > 1000, `${tokensSaved} tokens`);
});

function forAll(
  law: (simulation: Simulation, jobs: readonly Job[], machine: Machine) => void,
): void {
  fc.assert(
    fc.property(anyMachine, anyJobs, (machine, jobs) => {
      law(new Simulation(machine, jobs), jobs, machine);
    }),
    { numRuns: 1500 },
  );
}
