import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { JobStore } from "../../../functions/jobs/store/job_store.ts";
import { Recorder, WORTH_CODES } from "../../../functions/jobs/recorder.ts";
import { newJob, openTables } from "../../support/job_tables.ts";
import type { WireEvent } from "../../../functions/http/call.ts";

function storedEvents(jobs: JobStore): WireEvent[] {
  const events: WireEvent[] = [];
  for (let id = 0;;) {
    const next = jobs.eventAfter("a", id);
    if (next === undefined) return events;
    id = next.id;
    events.push({ event: next.event, data: JSON.parse(next.data) });
  }
}

/** Returns a drawing's events, its pictures in parallel. */
function drawingEvents(n: number, rows: number): WireEvent[] {
  const pictures = Array.from({ length: n }, (_, i) => i);
  return [
    { event: "started", data: { n, rows } },
    ...Array.from({ length: rows }, (_, index) =>
      pictures.map((image) => ({
        event: "row",
        data: { "image_index": image, index },
      }))).flat(),
    ...pictures.map((image) => ({
      event: "image",
      data: { "image_index": image },
    })),
  ];
}

/** Returns the events of the clips of a drawing, one after the other. */
function clipEvents(n: number, frames: number, rows: number): WireEvent[] {
  const clips = Array.from({ length: n }, (_, i) => i);
  return [
    { event: "started", data: { n, rows: frames * rows, frames } },
    ...clips.flatMap((image) =>
      Array.from({ length: frames }, (_, frame) => [
        ...Array.from({ length: rows }, (_, index) => ({
          event: "row",
          data: { "image_index": image, frame, index },
        })),
        { event: "frame", data: { "image_index": image, frame } },
      ]).flat()
    ),
    ...clips.map((image) => ({
      event: "clip",
      data: { "image_index": image },
    })),
  ];
}

/** Returns an answer's events. */
function answerEvents(parts: readonly string[]): WireEvent[] {
  return [
    { event: "started", data: {} },
    ...parts.map((text) => ({ event: "delta", data: { text } })),
  ];
}

const anyEvents = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }))
    .map(([n, rows]) => drawingEvents(n, rows)),
  fc.tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 1, max: 2 }),
  ).map(([n, frames, rows]) => clipEvents(n, frames, rows)),
  fc.array(fc.string(), { maxLength: 8 }).map(answerEvents),
);

Deno.test("Recorder stores each row once, after any number of interruptions anywhere", () => {
  fc.assert(fc.property(anyEvents, fc.array(fc.nat(20)), (events, breaks) => {
    using tables = openTables();
    const { jobs } = tables;
    jobs.insert(newJob("a"));
    let rings = 0;
    for (const end of [...breaks, events.length]) {
      const recorder = new Recorder(jobs, "a", () => 1, () => rings++);
      recorder.observe({ event: "queued", data: {} });
      for (const event of events.slice(0, end)) recorder.observe(event);
    }
    const stored = storedEvents(jobs);
    strictEqual(rings, stored.length);
    const once = (list: readonly WireEvent[]) =>
      list.filter(({ event }) => event !== "started" && event !== "queued");
    deepStrictEqual(once(stored), once(events));
    const rows = events.filter(({ event }) =>
      event === "row" || event === "delta"
    );
    strictEqual(jobs.find("a")?.progress.done, rows.length);
  }));
});

Deno.test("Recorder counts the total of rows over all runs of a job", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const recorder = new Recorder(jobs, "a", () => 5, () => {});
  recorder.observe({ event: "queued", data: {} });
  strictEqual(jobs.find("a")?.status, "queued");
  recorder.observe({ event: "started", data: { n: 2, rows: 3 } });
  const { status, startedAt, progress } = jobs.find("a")!;
  strictEqual(status, "running");
  strictEqual(startedAt, 5);
  deepStrictEqual(progress, { done: 0, total: 6 });
});

Deno.test("Recorder holds back the end of an answer", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const recorder = new Recorder(jobs, "a", () => 5, () => {});
  const completed = { event: "completed", data: { id: "x" } };
  recorder.observe(completed);
  deepStrictEqual(storedEvents(jobs), []);
  strictEqual(recorder.completed, completed);
});

Deno.test("Recorder keeps resume states, also for pictures without one", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const recorder = new Recorder(jobs, "a", () => 5, () => {});
  const after = (codes: number) => ({
    codes: new Uint16Array(codes).fill(1),
    scores: [],
    guesses: undefined,
  });
  // A picture that is drawn again in seconds starts over.
  recorder.keep(0, after(WORTH_CODES - 1));
  deepStrictEqual(jobs.resumeStatesOf("a"), []);
  recorder.keep(0, after(WORTH_CODES));
  recorder.keep(0, undefined);
  deepStrictEqual(jobs.resumeStatesOf("a"), [after(WORTH_CODES)]);
});

Deno.test("Recorder writes a long clip's states seldom, and loses one row of 64 at most", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const recorder = new Recorder(jobs, "a", () => 5, () => {});
  const row = 512;
  const rows = 400;
  let written = 0;
  let last = 0;
  for (let done = 1; done <= rows; done++) {
    const codes = new Uint16Array(done * row);
    recorder.keep(0, { codes, scores: [], guesses: undefined });
    const kept = jobs.resumeStatesOf("a")[0]?.codes.length ?? 0;
    if (kept !== last) written += kept;
    last = kept;
    ok(kept === 0 && done < 2 || done * row - kept <= kept / 64, `row ${done}`);
  }
  // Every row would have written half of the rows squared.
  ok(written < rows ** 2 / 4 * row, `${written} codes`);
});

Deno.test("Recorder stores no preview picture, and passes it on once", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const told: (WireEvent | undefined)[] = [];
  const recorder = new Recorder(jobs, "a", () => 1, (live) => told.push(live));
  const row = { "image_index": 0, index: 0, codes: [1] };
  const pictured = { event: "row", data: { ...row, preview: { height: 8 } } };
  recorder.observe(pictured);
  recorder.observe({ event: "row", data: { ...row, index: 1 } });
  deepStrictEqual(storedEvents(jobs).map(({ data }) => data), [
    row,
    { ...row, index: 1 },
  ]);
  deepStrictEqual(told, [pictured, undefined]);
});

Deno.test("Recorder stores no previews of a frame, and passes them on once", () => {
  using tables = openTables();
  const { jobs } = tables;
  jobs.insert(newJob("a"));
  const told: (WireEvent | undefined)[] = [];
  const recorder = new Recorder(jobs, "a", () => 1, (live) => told.push(live));
  const frame = { "image_index": 0, frame: 2 };
  const shown = {
    event: "frame",
    data: { ...frame, previews: [{ height: 8 }] },
  };
  recorder.observe(shown);
  recorder.observe(shown);
  deepStrictEqual(storedEvents(jobs).map(({ data }) => data), [frame]);
  deepStrictEqual(told, [shown]);
});
