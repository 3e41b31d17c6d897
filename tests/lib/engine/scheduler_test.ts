import { equal, ok } from "node:assert/strict";
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
  equal(admissible([2, 1, 1], 1), 0);
  equal(admissible([1, 2, 1], 2), 1);
});

Deno.test("retryAfterSeconds() is at least a second, and grows with the queue", () => {
  equal(retryAfterSeconds(0, 0.001, 4), 1);
  equal(retryAfterSeconds(3, 10, 4), 10);
  equal(retryAfterSeconds(4, 10, 4), 13);
  equal(retryAfterSeconds(7, 10, 4), 20);
});
