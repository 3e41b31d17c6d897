import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { CacheBudget } from "../../../lib/engine/cache_budget.ts";

const noSnapshots = { tokensHeld: 0 };

Deno.test("tokensHeld counts running slots, idle slots and snapshots", () => {
  const budget = new CacheBudget(100, 3, { tokensHeld: 7 });
  budget.reserve(0, 20);
  budget.reserve(1, 30);
  budget.release(1, 10);
  strictEqual(budget.tokensHeld, 37);
  budget.trim(1);
  strictEqual(budget.tokensHeld, 27);
  deepStrictEqual(budget.idle, [1, 2]);
  strictEqual(budget.highestInUse, 0);
});

Deno.test("release() keeps the most tokens that a slot has touched", () => {
  const budget = new CacheBudget(100, 1, noSnapshots);
  for (const written of [30, 10]) {
    budget.reserve(0, 40);
    budget.release(0, written);
  }
  strictEqual(budget.tokensHeld, 30);
});

Deno.test("reclaimForRows() reclaims idle slots, the highest first, then snapshots", () => {
  const budget = touched(100, [10, 20, 30], { tokensHeld: 25 });
  const room = (row: number) => budget.reclaimForRows([row], [0]);
  deepStrictEqual(room(25), { trim: [], evict: 0 });
  deepStrictEqual(room(26), { trim: [2], evict: 0 });
  deepStrictEqual(room(56), { trim: [2, 1], evict: 0 });
  deepStrictEqual(room(76), { trim: [2, 1], evict: 1 });
  deepStrictEqual(room(100), { trim: [2, 1], evict: 25 });
  strictEqual(room(101), undefined);
});

Deno.test("reclaimForRows() trims the slot of a longer request before a shorter", () => {
  const budget = touched(100, [30], noSnapshots);
  deepStrictEqual(budget.reclaimForRows([10], [0]), { trim: [0], evict: 0 });
  deepStrictEqual(budget.reclaimForRows([30], [0]), { trim: [], evict: 0 });
});

Deno.test("reclaimForRows() takes nothing from running slots", () => {
  const budget = new CacheBudget(100, 2, noSnapshots);
  budget.reserve(1, 60);
  deepStrictEqual(budget.reclaimForRows([40], [0]), { trim: [], evict: 0 });
  strictEqual(budget.reclaimForRows([41], [0]), undefined);
});

Deno.test("reclaimForSnapshot() may trim any idle slot", () => {
  const budget = touched(100, [30, 40], { tokensHeld: 20 });
  deepStrictEqual(budget.reclaimForSnapshot(10), { trim: [], evict: 0 });
  deepStrictEqual(budget.reclaimForSnapshot(90), { trim: [1, 0], evict: 10 });
});

Deno.test("fitsAlone() counts slots and tokens of all rows", () => {
  const budget = new CacheBudget(100, 2, noSnapshots);
  strictEqual(budget.fitsAlone([50, 50]), true);
  strictEqual(budget.fitsAlone([50, 51]), false);
  strictEqual(budget.fitsAlone([1, 1, 1]), false);
});

Deno.test("copy() does not change with the original", () => {
  const budget = touched(100, [30, 40], noSnapshots);
  const copy = budget.copy();
  budget.reserve(0, 50);
  budget.trim(1);
  strictEqual(copy.tokensHeld, 70);
  deepStrictEqual(copy.idle, [0, 1]);
});

Deno.test("CacheBudget refuses calls that would make its numbers wrong", () => {
  const budget = touched(100, [30, 0], noSnapshots);
  throws(() => budget.reserve(0, 20), RangeError);
  throws(() => budget.reserve(1, 71), RangeError);
  throws(() => budget.release(1, 0), RangeError);
  throws(() => budget.trim(2), RangeError);
  budget.reserve(1, 70);
  throws(() => budget.reserve(1, 70), RangeError);
  throws(() => budget.release(1, 71), RangeError);
  throws(() => budget.trim(1), RangeError);
});

/** Returns a budget whose idle slots hold the given number of tokens. */
function touched(
  tokens: number,
  slots: readonly number[],
  snapshots: { readonly tokensHeld: number },
): CacheBudget {
  const budget = new CacheBudget(tokens, slots.length, snapshots);
  for (const [slot, written] of slots.entries()) {
    budget.reserve(slot, written);
    budget.release(slot, written);
  }
  return budget;
}
