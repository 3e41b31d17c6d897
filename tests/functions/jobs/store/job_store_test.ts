import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { ResumeState } from "../../../../lib/drawing/resume_state.ts";
import type { JobStatus } from "../../../../functions/jobs/job.ts";
import type { JobStore } from "../../../../functions/jobs/store/job_store.ts";
import type { StoredEvent } from "../../../../functions/http/sse.ts";
import { newJob, openTables, success } from "../../../support/job_tables.ts";

function eventsOf(jobs: JobStore, id: string, after = 0): StoredEvent[] {
  const next = jobs.eventAfter(id, after);
  return next === undefined ? [] : [next, ...eventsOf(jobs, id, next.id)];
}

const anyRequest = fc.record({
  path: fc.webPath(),
  headers: fc.dictionary(fc.string(), fc.string()),
  body: fc.uint8Array() as fc.Arbitrary<Uint8Array<ArrayBuffer>>,
});

Deno.test("JobStore returns the stored request and answer of a job", () => {
  fc.assert(
    fc.property(
      anyRequest,
      anyRequest,
      fc.nat(),
      (request, { headers, body }, seed) => {
        using tables = openTables();
        const { jobs } = tables;
        const webhook = { url: "https://w", events: ["failed" as const] };
        jobs.insert(newJob("a", { request, seed, webhook }));
        const plain = { ...request, headers: { ...request.headers } };
        deepStrictEqual({ ...jobs.requestOf("a") }, plain);
        const job = jobs.find("a")!;
        strictEqual(job.seed, seed);
        deepStrictEqual(job.webhook, webhook);
        strictEqual(jobs.answerOf("a"), undefined);
        const answer = { headers: { ...headers }, body };
        jobs.end("a", { ...success(2), answer });
        deepStrictEqual(jobs.answerOf("a"), answer);
        deepStrictEqual(jobs.find("a")?.finishedAt, 2);
      },
    ),
  );
});

Deno.test("JobStore counts events of each job from 1, and returns them after any one", () => {
  const anyEvents = fc.array(
    fc.record({ job: fc.constantFrom("a", "b"), data: fc.jsonValue() }),
    { maxLength: 30 },
  );
  fc.assert(fc.property(anyEvents, fc.nat(31), (events, after) => {
    using tables = openTables();
    const { jobs } = tables;
    for (const id of ["a", "b"]) jobs.insert(newJob(id));
    for (const { job, data } of events) {
      jobs.append(job, { event: "row", data }, { done: 0, total: 1 });
    }
    for (const id of ["a", "b"]) {
      const told = eventsOf(jobs, id);
      const expected = events.filter(({ job }) => job === id).map(
        ({ data }, i) => ({
          id: i + 1,
          event: "row",
          data: JSON.stringify(data),
        }),
      );
      deepStrictEqual(told, expected);
      deepStrictEqual(eventsOf(jobs, id, after), expected.slice(after));
    }
  }));
});

Deno.test("JobStore.page() lists a principal's jobs by page, newest first, and no others", () => {
  const anyJobs = fc.array(
    fc.record({
      principal: fc.constantFrom("a", "b"),
      isPrediction: fc.boolean(),
      length: fc.nat(500),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      anyJobs,
      fc.integer({ min: 1, max: 9 }),
      fc.nat(1500),
      fc.boolean(),
      // The clock may jump either way between them.
      fc.func(fc.nat()),
      (orders, limit, maxBytes, predictions, clock) => {
        using tables = openTables();
        const { jobs } = tables;
        orders.forEach(({ principal, isPrediction, length }, i) => {
          const input = { prompt: "x".repeat(length) };
          const prediction = isPrediction
            ? { model: "", version: "", input }
            : undefined;
          const createdAt = clock(i);
          jobs.insert(newJob(`${i}`, { principal, createdAt, prediction }));
        });
        for (const asked of ["a", "b", "c"]) {
          const listed: string[] = [];
          for (let after: string | undefined;; after = listed.at(-1)) {
            const options = { limit, maxBytes, after, predictions };
            const page = jobs.page(asked, options);
            listed.push(...page.jobs.map(({ id }) => id));
            ok(page.jobs.length <= limit);
            const bytes = page.jobs.map(({ prediction }) =>
              prediction === undefined ? 0 : JSON.stringify(prediction).length
            ).reduce((sum, length) => sum + length, 0);
            ok(bytes <= maxBytes || page.jobs.length === 1);
            if (!page.more) break;
            ok(page.jobs.length > 0);
          }
          const theirs = orders.flatMap((order, i) =>
            order.principal === asked && (order.isPrediction || !predictions)
              ? [`${i}`]
              : []
          );
          deepStrictEqual(listed, theirs.reverse());
        }
      },
    ),
  );
});

const RESUME_STATE: ResumeState = {
  codes: Uint16Array.of(1, 65_535),
  scores: [],
  guesses: {
    drafts: [{ code: 3, outcome: undefined, attempts: 2 }],
    controller: { tried: 1 } as never,
  },
};

Deno.test("JobStore keeps the last resume state of each picture", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  deepStrictEqual(jobs.resumeStatesOf("a"), []);
  jobs.keepResumeState("a", 2, { ...RESUME_STATE, codes: Uint16Array.of(9) });
  jobs.keepResumeState("a", 2, RESUME_STATE);
  // deno-lint-ignore no-sparse-arrays
  deepStrictEqual(jobs.resumeStatesOf("a"), [, , RESUME_STATE]);
});

const ENDS: readonly (readonly [JobStatus, boolean, boolean])[] = [
  ["succeeded", false, false],
  ["canceled", false, false],
  ["interrupted", false, true],
  ["failed", true, true],
  ["failed", false, false],
];

for (const [status, retryable, kept] of ENDS) {
  Deno.test(`JobStore ${kept ? "keeps" : "drops"} the resume state of a job that ${status}, ${retryable ? "" : "not "}retryable`, () => {
    using tables = openTables();
    const { jobs } = tables;
    jobs.insert(newJob("a"));
    jobs.keepResumeState("a", 0, RESUME_STATE);
    jobs.end("a", {
      status,
      finishedAt: 2,
      event: { event: "error", data: {} },
      ...(status === "failed" && { error: { retryable } as never }),
    });
    strictEqual(jobs.resumeStatesOf("a").length, kept ? 1 : 0);
  });
}

Deno.test("JobStore starts a queued job, once, and no ended one", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  jobs.start("a", 5);
  jobs.start("a", 6);
  strictEqual(jobs.find("a")?.startedAt, 5);
  jobs.end("a", success(7));
  jobs.start("a", 8);
  strictEqual(jobs.find("a")?.status, "succeeded");
});

Deno.test("JobStore keeps the retention of a resumed job", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  jobs.append("a", { event: "started", data: {} }, { done: 0, total: 8 });
  jobs.append("a", { event: "queued", data: {} }, {
    done: 3,
    total: undefined,
  });
  deepStrictEqual(jobs.find("a")?.progress, { done: 3, total: 8 });
});

Deno.test("JobStore.remove() leaves no rows of a job", () => {
  using tables = openTables();
  const { jobs, answers, queries } = tables;
  jobs.insert(newJob("a"));
  answers.link({ principal: "p", key: "k", fingerprint: "f" }, "a", 1);
  jobs.keepResumeState("a", 0, RESUME_STATE);
  jobs.append("a", { event: "row", data: {} }, { done: 0, total: 1 });
  jobs.end("a", success(7));
  jobs.remove("a");
  const names = queries.all(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  );
  for (const { name } of names) {
    deepStrictEqual(queries.all(`SELECT * FROM ${name}`), [], String(name));
  }
});
