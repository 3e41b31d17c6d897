import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { nextPrefill } from "../../../lib/engine/prefill_order.ts";

Deno.test("nextPrefill() returns the shortest, the first of equals", () => {
  strictEqual(nextPrefill([], 4), undefined);
  const requests = [9, 3, 7, 3].map((remaining) => ({ remaining, waited: 0 }));
  strictEqual(nextPrefill(requests, 4), 1);
});

Deno.test("nextPrefill() returns the one that waits longest once it has aged", () => {
  const requests = [
    { remaining: 1, waited: 0 },
    { remaining: 9, waited: 4 },
    { remaining: 99, waited: 5 },
    { remaining: 9, waited: 5 },
  ];
  strictEqual(nextPrefill(requests, 4), 2);
  strictEqual(nextPrefill(requests, 6), 0);
});

const anyLengths = fc.array(fc.integer({ min: 1, max: 50 }), {
  minLength: 1,
  maxLength: 20,
});

Deno.test("nextPrefill() bounds the wait of every request", () => {
  fc.assert(
    fc.property(anyLengths, fc.nat(6), (lengths, maxWait) => {
      const requests = lengths.map((remaining) => ({ remaining, waited: 0 }));
      for (let chunk = 0; requests.length > 0; chunk++) {
        const next = nextPrefill(requests, maxWait)!;
        for (const [i, request] of requests.entries()) {
          request.waited = i === next ? 0 : request.waited + 1;
          ok(request.waited < maxWait + lengths.length);
        }
        if (--requests[next]!.remaining === 0) requests.splice(next, 1);
        ok(chunk < lengths.reduce((sum, length) => sum + length, 0));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("nextPrefill() runs a long prompt beside an endless stream of short ones", () => {
  const long = { remaining: 100, waited: 0 };
  const maxWait = 3;
  for (let chunk = 0; chunk < 100 * (maxWait + 1); chunk++) {
    const next = nextPrefill([long, { remaining: 1, waited: 0 }], maxWait);
    if (next === 0) long.remaining--;
    long.waited = next === 0 ? 0 : long.waited + 1;
  }
  ok(long.remaining <= 0, `${long.remaining} chunks are left`);
});
