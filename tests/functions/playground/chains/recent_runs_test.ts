/** Laws of the list of recent runs. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  forgetRun,
  keepRun,
  MAX_RUNS,
  recentRuns,
  RUN_AGE_MS,
} from "../../../../functions/playground/chains/recent_runs.js";

function run(id: string, startedAt: number) {
  return { chain: "imagine", id, title: "a cat", startedAt };
}

Deno.test("runs are kept latest first, up to a limit and an age", () => {
  localStorage.clear();
  for (let i = 0; i < MAX_RUNS + 3; i++) keepRun(run(`${i}`, i));
  const runs = recentRuns(MAX_RUNS);
  strictEqual(runs.length, MAX_RUNS);
  deepStrictEqual(runs[0], run(`${MAX_RUNS + 2}`, MAX_RUNS + 2));
  keepRun(run("3", 100));
  deepStrictEqual(recentRuns(100)[0], run("3", 100));
  strictEqual(recentRuns(100).filter(({ id }) => id === "3").length, 1);
  forgetRun("3", 100);
  strictEqual(recentRuns(100).filter(({ id }) => id === "3").length, 0);
  deepStrictEqual(recentRuns(100 + RUN_AGE_MS), []);
  localStorage.clear();
});

Deno.test("a list that cannot be read is empty", () => {
  for (const text of ["", "{", "null", '{"a":1}']) {
    localStorage.setItem("emu3-chains", text);
    deepStrictEqual(recentRuns(0), []);
  }
  localStorage.clear();
});
