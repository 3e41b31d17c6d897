/** The jobs of several callers: none can take all places. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { OverloadedError } from "../../../lib/errors.ts";
import type { Submitted } from "../../../functions/jobs/runner.ts";
import {
  type JobDesk,
  NEVER,
  openDesk,
  order,
  settle,
} from "../../support/job_desk.ts";
import { newJob, openTables } from "../../support/job_tables.ts";

Deno.test("JobRunner admits a caller while another is at its limit", async () => {
  await using desk = openDesk({ limit: 6 });
  for (let i = 0; i < 6; i++) await desk.accepted({ principal: "a" });
  await rejects(
    desk.runner.submit(order({ principal: "a" })),
    OverloadedError,
  );
  const { id } = await desk.accepted({ principal: "b" });
  strictEqual(desk.calls.get(id)!.call.caller, "b");
  // The first is back at its share, which is smaller beside another caller.
  for (const { answer } of [...desk.calls.values()].slice(0, 2)) {
    answer(new Response());
  }
  await settle();
  await desk.accepted({ principal: "a" });
});

Deno.test("JobRunner distinguishes callers without a key", async () => {
  await using desk = openDesk({ limit: 1 });
  await desk.accepted({ caller: "192.0.2.1" });
  await rejects(
    desk.runner.submit(order({ caller: "192.0.2.1" })),
    OverloadedError,
  );
  const { id, principal } = await desk.accepted({ caller: "192.0.2.2" });
  deepStrictEqual(
    [principal, desk.calls.get(id)!.call.caller],
    ["anonymous", "192.0.2.2"],
  );
});

Deno.test("recover() starts jobs of each caller, also behind many of another", async () => {
  const tables = openTables();
  for (let i = 0; i < 20; i++) {
    tables.jobs.insert({ ...newJob(`a-${i}`), principal: "a" });
  }
  tables.jobs.insert({ ...newJob("b-0"), principal: "b" });
  await using desk = openDesk({ tables, limit: 3 });
  desk.runner.recover();
  deepStrictEqual([...desk.calls.keys()].sort(), ["a-0", "a-1", "a-2", "b-0"]);
});

/** Returns the error of a refused submission. */
async function refusedBy({ runner }: JobDesk): Promise<OverloadedError> {
  try {
    await runner.submit(order());
  } catch (error) {
    if (error instanceof OverloadedError) return error;
    throw error;
  }
  throw new Error("the job was accepted");
}

Deno.test("JobRunner refuses jobs with the times at which places become free, in turn", async () => {
  await using desk = openDesk({ limit: 1 });
  const { id } = await desk.accepted();
  desk.clock.pass(10_000);
  desk.calls.get(id)!.answer(new Response());
  await desk.runner.settled(id, NEVER);
  await settle();
  await desk.accepted();
  for (const seconds of [10, 20, 30]) {
    strictEqual((await refusedBy(desk)).retryAfterSeconds, seconds);
  }
});

Deno.test("JobRunner delays refusals by a full queue only", async () => {
  await using desk = openDesk({ limit: 8 });
  const refused = async (code: string) => {
    const submitted = desk.runner.submit(order());
    const body = { status: 503, type: `/problems/${code}` };
    const headers = { "retry-after": "2" };
    [...desk.calls.values()].at(-1)!.answer(
      Response.json(body, { status: 503, headers }),
    );
    const refusal = await submitted;
    strictEqual(refusal.type, "refused");
    const { answer } = refusal as Extract<Submitted, { type: "refused" }>;
    deepStrictEqual(await answer.json(), body);
    return answer.headers.get("retry-after");
  };
  const { id } = await desk.accepted();
  desk.clock.pass(10_000);
  desk.calls.get(id)!.answer(new Response());
  await desk.runner.settled(id, NEVER);
  await settle();
  const turns = [];
  for (let i = 0; i < 3; i++) turns.push(await refused("overloaded"));
  deepStrictEqual(turns, ["10", "20", "30"]);
  strictEqual(await refused("not-ready"), "2");
});
