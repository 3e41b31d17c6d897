import { deepStrictEqual } from "node:assert/strict";
import { ProgressReport } from "../../../deploy/prepare/progress_report.ts";

const COUNTS = { stored: 0, failed: 3, duplicates: 1 };

function reportTo(terminal: boolean) {
  const written: string[] = [];
  const clock = { now: 0 };
  const report = new ProgressReport({
    terminal,
    write: (text) => written.push(text),
    now: () => clock.now,
  });
  const show = (at: number, done: number, left: number) => {
    clock.now = at;
    report.show({ done, left, untitled: 0 }, COUNTS);
  };
  return { report, written, show };
}

Deno.test("ProgressReport shows rate and time left on a terminal, in one line", () => {
  const { report, written, show } = reportTo(true);
  show(2000, 100, 400);
  show(2100, 101, 399);
  show(4000, 500, 0);
  report.clear();
  report.clear();
  deepStrictEqual(written, [
    "\rprepared 100, 400 left, 50/s, 8 s left, 3 unusable\x1b[K",
    "\rprepared 500, 0 left, 125/s, 0 s left, 3 unusable\x1b[K",
    "\r\x1b[K",
  ]);
});

Deno.test("ProgressReport writes events to programs", () => {
  const { report, written, show } = reportTo(false);
  show(3000, 1, 2);
  show(4000, 2, 1);
  show(4500, 3, 0);
  report.clear();
  const event = { event: "progress", failed: 3, duplicates: 1 };
  deepStrictEqual(written.map((line) => JSON.parse(line)), [
    { ...event, done: 1, left: 2, "per_second": 0.333, "seconds_left": 6 },
    { ...event, done: 3, left: 0, "per_second": 0.667, "seconds_left": 0 },
  ]);
});
