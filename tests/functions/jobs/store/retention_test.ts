import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { StoreFullError } from "../../../../functions/jobs/store/queries.ts";
import { Retention } from "../../../../functions/jobs/store/retention.ts";
import {
  ASKED,
  type JobTables,
  newJob,
  openTables,
  success,
} from "../../../support/job_tables.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const MIB = 2 ** 20;
const NEVER = -1;

function keepAnswer(
  { answers }: JobTables,
  key: string,
  at: number,
  size: number,
) {
  const answer = { status: 200, headers: {}, body: new Uint8Array(size) };
  answers.keep({ principal: "p", key, fingerprint: "f" }, answer, at);
}

Deno.test("Room.make() removes exactly the rows that ended before a moment", () => {
  const anyEnds = fc.array(fc.option(fc.nat(20), { nil: undefined }));
  fc.assert(
    fc.property(anyEnds, anyEnds, fc.nat(20), (ends, kept, before) => {
      using tables = openTables();
      const { jobs, answers, queries } = tables;
      ends.forEach((finishedAt, i) => {
        jobs.insert(newJob(`${i}`));
        // A key is removed with its job, at any age.
        answers.link(
          { principal: "p", key: `job ${i}`, fingerprint: "f" },
          `${i}`,
          0,
        );
        if (finishedAt !== undefined) jobs.end(`${i}`, success(finishedAt));
      });
      kept.forEach((at = 21, i) => keepAnswer(tables, `${i}`, at, 1));
      new Retention(queries, MIB).make(before);
      ends.forEach((finishedAt = 21, i) => {
        const stays = finishedAt >= before;
        strictEqual(jobs.find(`${i}`) !== undefined, stays);
        strictEqual(answers.find("p", `job ${i}`) !== undefined, stays);
      });
      kept.forEach((at = 21, i) =>
        strictEqual(answers.find("p", `${i}`) !== undefined, at >= before)
      );
    }),
    { numRuns: 30 },
  );
});

Deno.test("Room.make() removes the oldest ended jobs until a quarter is free, and shrinks the file", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  using tables = openTables(path);
  const { jobs, answers, queries } = tables;
  const room = new Retention(queries, 8 * MIB);
  jobs.insert(
    newJob("waits", { request: { ...ASKED, body: new Uint8Array(MIB) } }),
  );
  for (let i = 0; i < 50; i += 2) {
    jobs.insert(newJob(`${i}`));
    jobs.end(`${i}`, success(i, MIB / 8));
    keepAnswer(tables, `${i + 1}`, i + 1, MIB / 8);
  }
  const full = Deno.statSync(path).size;
  const removed = room.make(NEVER);
  ok(removed > 0);
  for (let i = 0; i < 50; i += 2) {
    strictEqual(jobs.find(`${i}`) !== undefined, i >= removed, `${i}`);
    strictEqual(answers.find("p", `${i + 1}`) !== undefined, i + 1 >= removed);
  }
  ok(jobs.find("waits"));
  const size = Deno.statSync(path).size;
  ok(size <= 6 * MIB && size < full, `${size} of ${full} bytes`);
  strictEqual(Deno.statSync(`${path}-wal`).size, 0);
  strictEqual(room.make(NEVER), 0);
});

Deno.test("Room limits the store, which reports it and continues", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  using tables = openTables(path);
  const { jobs, queries } = tables;
  const room = new Retention(queries, 2 * MIB);
  const large = { ...ASKED, body: new Uint8Array(MIB) };
  jobs.insert(newJob("a", { request: large }));
  throws(() => jobs.insert(newJob("b", { request: large })), StoreFullError);
  // No part of it is left.
  deepStrictEqual(jobs.withStatus("queued").map(({ id }) => id), ["a"]);
  ok(Deno.statSync(path).size <= 2 * MIB);
  // Queued jobs are never removed for new ones.
  strictEqual(room.make(NEVER), 0);
  jobs.end("a", success(1));
  strictEqual(room.make(2), 1);
  jobs.insert(newJob("b", { request: large }));
  ok(jobs.find("b"));
});

Deno.test("Jobs reports a closed store as a stopping server", () => {
  const tables = openTables();
  tables[Symbol.dispose]();
  throws(
    () => tables.jobs.find("a"),
    (error) => error instanceof DOMException && error.name === "AbortError",
  );
});
