/**
 * The faults between workers and queue: no job is lost, and none gets another's
 * answer.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { settle } from "../../support/job_desk.ts";
import { openRunpodDesk, type RunpodDesk } from "../../support/runpod/desk.ts";
import type { Fault } from "../../support/runpod/emulator.ts";
import { hasEnded } from "../../support/runpod/queue.ts";

const anyFault = fc.constantFrom<Fault>(
  429,
  500,
  "lost question",
  "lost answer",
  "late answer",
  "twice",
);

/** Faults of the next calls of any kind; then none. */
const anyFaults = fc.array(fc.option(anyFault, { nil: undefined }), {
  maxLength: 60,
});

/** Answers the jobs of each worker with their input. */
async function answerAll(desks: readonly RunpodDesk[]): Promise<number> {
  let answered = 0;
  for (const { calls } of desks) {
    for (const { request, answer } of [...calls.values()]) {
      answer(Response.json(await request.json()));
      answered++;
    }
  }
  return answered;
}

Deno.test("RunpodWorker answers every job with its own input under network faults", async () => {
  const seen = { faults: 0, retried: 0, again: 0 };
  await fc.assert(
    fc.asyncProperty(
      anyFaults,
      fc.integer({ min: 1, max: 8 }),
      async (faults, count) => {
        const left = [...faults];
        await using desk = openRunpodDesk({ fault: () => left.shift() });
        const { queue } = desk.emulator;
        const jobs = Array.from(
          { length: count },
          (_, i) => queue.add({ prompt: `picture ${i}` }),
        );
        for (let i = 0; i < 3000 && !jobs.every(hasEnded); i++) {
          await desk.pass(1000);
          await answerAll([desk]);
          await settle();
        }
        for (const [i, { status, output }] of jobs.entries()) {
          deepStrictEqual([status, output], [
            "COMPLETED",
            { prompt: `picture ${i}` },
          ]);
        }
        seen.faults += faults.length - left.length;
        seen.retried += queue.retried;
        seen.again += jobs.filter(({ results }) => results > 1).length;
      },
    ),
    { numRuns: 25 },
  );
  ok(seen.faults > 60 && seen.retried > 2, JSON.stringify(seen));
});

Deno.test("RunpodWorker runs the job of a dead worker once", async () => {
  await using first = openRunpodDesk();
  const [job, dead] = await first.begun({ prompt: "a fox" });
  // It hangs forever: none of its calls gets through.
  const { fetch } = first.emulator;
  let alive = true;
  Object.assign(first.emulator, {
    fetch: (request: Request) =>
      alive || !new URL(request.url).pathname.includes("/pod1")
        ? fetch(request)
        : Promise.reject(new TypeError("dead")),
  });
  alive = false;
  await using second = openRunpodDesk({ name: "pod2", shared: first });
  await first.pass(20_000);
  strictEqual(job.worker, "pod1");
  await first.pass(20_000);
  strictEqual(job.worker, "pod2");
  second.calls.get(job.id)!.answer(Response.json("by the second"));
  await settle();
  deepStrictEqual([job.status, job.takes], ["COMPLETED", 2]);
  // The first worker still runs; its result arrives too late.
  alive = true;
  dead.answer(Response.json("by the first"));
  await first.pass(20_000);
  deepStrictEqual([job.output, job.results], ["by the second", 2]);
  strictEqual(first.emulator.queue.retried, 1);
});

Deno.test("RunpodWorker reports an undeliverable result, and the job runs again", async () => {
  let refusing = true;
  await using desk = openRunpodDesk({
    fault: (call) => call === "done" && refusing ? 500 : undefined,
  });
  const [job, { answer }] = await desk.begun({ prompt: "a fox" });
  answer(Response.json(1));
  await settle();
  await desk.pass(40_000);
  strictEqual(desk.failures.length, 1);
  ok(
    /Cannot send a result: RunPod responds with status 500/.test(
      `${desk.failures}`,
    ),
  );
  refusing = false;
  await desk.pass(60_000);
  await answerAll([desk]);
  await settle();
  deepStrictEqual([job.status, job.takes], ["COMPLETED", 2]);
});

Deno.test("RunpodWorker does not resend a result that is refused for good", async () => {
  await using desk = openRunpodDesk();
  const [job, { answer }] = await desk.begun({ prompt: "a fox" });
  const { fetch } = desk.emulator;
  let sent = 0;
  Object.assign(desk.emulator, {
    fetch: (request: Request) => {
      if (!request.url.includes("job-done")) return fetch(request);
      sent++;
      return Promise.resolve(new Response(null, { status: 404 }));
    },
  });
  answer(Response.json(1));
  await desk.pass(30_000);
  deepStrictEqual([sent, job.results, desk.failures.length], [1, 0, 1]);
});
