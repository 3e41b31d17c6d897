import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { FairShare } from "../../../lib/async/fair_share.ts";

Deno.test("FairShare grants one caller alone exactly its maximum", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), (most) => {
    const share = new FairShare(most);
    let taken = 0;
    while (share.take("a", 1)) taken++;
    deepStrictEqual(taken, most);
  }));
});

Deno.test("FairShare keeps a slot free for a new caller, however much others hold", () => {
  fc.assert(fc.property(
    fc.integer({ min: 12, max: 200 }),
    fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 1000 }),
    (most, callers) => {
      const share = new FairShare(most);
      for (const caller of callers) share.take(caller, 1);
      ok(share.take("newcomer", 1));
    },
  ));
});

Deno.test("FairShare keeps its minimum free for a second caller, and does not increase the maximum of the first", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), (most) => {
    const share = new FairShare(most, 1);
    let taken = 0;
    while (share.take("a", 1)) taken++;
    deepStrictEqual(taken, most);
    ok(share.take("newcomer", 1));
  }));
});

Deno.test("FairShare counts held amounts until they are released, for each caller", () => {
  fc.assert(fc.property(
    fc.array(
      fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 9 })),
    ),
    (wanted) => {
      const share = new FairShare(50);
      const taken = wanted.filter(([caller, n]) => share.take(caller, n));
      const sum = taken.reduce((sum, [, n]) => sum + n, 0);
      deepStrictEqual(share.held, sum);
      deepStrictEqual(share.heldBy("a") + share.heldBy("b"), sum);
      for (const [caller, n] of taken) share.release(caller, n);
      deepStrictEqual(share.held, 0);
      deepStrictEqual(share.heldBy("a"), 0);
    },
  ));
});
