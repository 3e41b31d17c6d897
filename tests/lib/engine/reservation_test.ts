import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { CacheBudget } from "../../../lib/engine/cache_budget.ts";
import { reservationOf } from "../../../lib/engine/reservation.ts";
import type { EngineRequest } from "../../../lib/engine/sequence.ts";
import { CacheTooSmallError, PromptTooLongError } from "../../../lib/errors.ts";

/** Returns a request with prompts of these lengths. */
function requestOf(lengths: readonly number[], maxNewTokens = 1) {
  const request: EngineRequest = {
    prompts: lengths.map((length) => ({
      tokens: new Int32Array(length),
      prefixBoundaries: [],
    })),
    maxNewTokens,
    long: false,
    policy: { head: "codes", choose: () => undefined },
  };
  return request;
}

function budgetOf(tokens: number, slots = 4): CacheBudget {
  return new CacheBudget(tokens, slots, { tokensHeld: 0 });
}

Deno.test("reservationOf() counts each row with its new tokens", () => {
  const { rows, long } = reservationOf(requestOf([3, 5], 2), 10, budgetOf(100));
  deepStrictEqual({ rows, long }, { rows: [5, 7], long: false });
});

Deno.test("reservationOf() keeps a request's group, and assigns a new one to each other request", () => {
  const budget = budgetOf(100);
  const group = Symbol("scene");
  strictEqual(
    reservationOf({ ...requestOf([1]), group }, 10, budget).group,
    group,
  );
  const claim = () => reservationOf(requestOf([1]), 10, budget).group;
  notStrictEqual(claim(), claim());
});

Deno.test("reservationOf() refuses a row longer than the context", () => {
  throws(
    () => reservationOf(requestOf([2, 9], 2), 10, budgetOf(100)),
    (error) =>
      error instanceof PromptTooLongError && error.needed === 11 &&
      error.available === 10,
  );
});

Deno.test("reservationOf() names the memory if rows fit the context", () => {
  throws(
    () => reservationOf(requestOf([4, 4], 5), 10, budgetOf(17)),
    (error) =>
      error instanceof CacheTooSmallError && error.needed === 18 &&
      error.available === 17,
  );
});

Deno.test("reservationOf() names the memory if it limits the context", () => {
  throws(
    () => reservationOf(requestOf([11]), 10, budgetOf(10)),
    CacheTooSmallError,
  );
});

Deno.test("reservationOf() refuses more rows than there are slots", () => {
  throws(
    () => reservationOf(requestOf([1, 1, 1]), 10, budgetOf(99, 2)),
    RangeError,
  );
});

Deno.test("reservationOf() refuses exactly the requests that do not fit alone", () => {
  const length = fc.integer({ min: 1, max: 12 });
  const lengths = fc.array(length, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(lengths, length, length, (lengths, context, more) => {
      const budget = budgetOf(context + more, 4);
      const rows = lengths.map((length) => length + 1);
      const fits = rows.every((row) => row <= context) &&
        budget.fitsAlone(rows);
      const claim = () => reservationOf(requestOf(lengths), context, budget);
      if (fits) deepStrictEqual(claim().rows, rows);
      else throws(claim);
    }),
  );
});
