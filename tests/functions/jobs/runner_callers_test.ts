/** The jobs of several callers: none can take all places. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { OverloadedError } from "../../../lib/errors.ts";
import { openDesk, order, settle } from "../../support/job_desk.ts";
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
