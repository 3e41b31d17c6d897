import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { runTaskGroup } from "../../../lib/async/task_group.ts";

const NEVER = new AbortController().signal;

Deno.test("runTaskGroup() runs every task, by its index", async () => {
  const run: number[] = [];
  await runTaskGroup(3, (i) => Promise.resolve(void run.push(i)), NEVER);
  deepStrictEqual(run, [0, 1, 2]);
});

Deno.test("runTaskGroup() aborts the others when one fails, and throws its error", async () => {
  const cause = new Error("one failed");
  let stopped = 0;
  const task = (index: number, signal: AbortSignal) => {
    if (index === 1) return Promise.reject(cause);
    return new Promise<void>((_, reject) =>
      signal.addEventListener("abort", () => {
        stopped++;
        reject(signal.reason);
      })
    );
  };
  await rejects(runTaskGroup(3, task, NEVER), cause);
  strictEqual(stopped, 2);
});
