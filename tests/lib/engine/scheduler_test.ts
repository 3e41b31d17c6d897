import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  admissible,
  retryAfterSeconds,
} from "../../../lib/engine/scheduler.ts";

const rows = fc.integer({ min: 1, max: 2 });
const anyNeeds = fc.array(rows, { maxLength: 20 });

Deno.test("admissible() starts as many as fit, in order of arrival", () => {
  fc.assert(fc.property(anyNeeds, fc.nat(16), (needs, free) => {
    const count = admissible(needs, free);
    const used = (n: number) => needs.slice(0, n).reduce((a, b) => a + b, 0);
    ok(used(count) <= free);
    ok(count === needs.length || used(count + 1) > free);
  }));
});

Deno.test("admissible() lets nobody pass a request that does not fit", () => {
  strictEqual(admissible([2, 1, 1], 1), 0);
  strictEqual(admissible([1, 2, 1], 2), 1);
});

Deno.test("retryAfterSeconds() is at least a second, and grows with the queue", () => {
  strictEqual(retryAfterSeconds(0, 0.001, 4), 1);
  strictEqual(retryAfterSeconds(3, 10, 4), 10);
  strictEqual(retryAfterSeconds(4, 10, 4), 13);
  strictEqual(retryAfterSeconds(7, 10, 4), 20);
});
