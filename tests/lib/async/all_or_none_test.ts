import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { allOrNone } from "../../../lib/async/all_or_none.ts";

const NEVER = new AbortController().signal;

Deno.test("allOrNone() runs every task, by its index", async () => {
  const run: number[] = [];
  await allOrNone(3, (i) => Promise.resolve(void run.push(i)), NEVER);
  deepStrictEqual(run, [0, 1, 2]);
});

Deno.test("allOrNone() aborts the others when one fails, and throws its error", async () => {
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
  await rejects(allOrNone(3, task, NEVER), cause);
  strictEqual(stopped, 2);
});
