import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type Fairness,
  nextStart,
  type Reservation,
  type Waiting,
} from "../../../lib/engine/admission.ts";
import { CacheBudget } from "../../../lib/engine/cache_budget.ts";

const fairness: Fairness = {
  maxPasses: 2,
  reservedSlots: 1,
  reservedTokens: 10,
};
let groups = 0;

Deno.test("nextStart() starts the first waiting request, in the lowest slots", () => {
  const start = startOf({ slots: 3, waiting: [answer(10), answer(10)] });
  deepStrictEqual(start, {
    index: 0,
    slots: [0],
    trim: [],
    evict: 0,
    passed: [],
  });
  strictEqual(startOf({ slots: 3, waiting: [] }), undefined);
});

Deno.test("nextStart() lets requests that fit pass others, and lists those passed", () => {
  const start = startOf({
    slots: 3,
    running: [[answer(80), [0]]],
    waiting: [answer(30), picture([5]), answer(20)],
  });
  strictEqual(start?.index, 2);
  deepStrictEqual(start.passed, [0, 1]);
});

Deno.test("nextStart() lets no request pass one that was passed often enough", () => {
  const running: Run[] = [[answer(80), [0]]];
  const aged = { ...answer(30), passed: fairness.maxPasses };
  strictEqual(
    startOf({ slots: 3, running, waiting: [aged, answer(20)] }),
    undefined,
  );
});

Deno.test("nextStart() assigns a single picture all that it needs", () => {
  const start = startOf({ slots: 2, waiting: [picture([50, 50])] });
  deepStrictEqual(start?.slots, [0, 1]);
});

Deno.test("nextStart() keeps a slot for an answer beside pictures", () => {
  const running: Run[] = [[picture([10]), [0]]];
  const waiting = [picture([10, 10]), answer(10)];
  strictEqual(startOf({ slots: 3, running, waiting })?.index, 1);
  strictEqual(startOf({ slots: 4, running, waiting })?.index, 0);
});

Deno.test("nextStart() keeps tokens for an answer beside pictures", () => {
  const running: Run[] = [[picture([40]), [0]]];
  const start = (row: number) =>
    startOf({ slots: 3, running, waiting: [picture([row]), answer(10)] });
  strictEqual(start(50)?.index, 0);
  strictEqual(start(51)?.index, 1);
});

Deno.test("nextStart() lets answers pass a request that waits for a picture, uncounted", () => {
  const running: Run[] = [[picture([60]), [0]]];
  const aged = { ...answer(50), passed: fairness.maxPasses };
  for (const waits of [aged, picture([50])]) {
    const start = startOf({ slots: 4, running, waiting: [waits, answer(10)] });
    strictEqual(start?.index, 1);
    deepStrictEqual(start.passed, []);
  }
});

Deno.test("nextStart() lets no picture pass a request that does not fit", () => {
  const running: Run[] = [[picture([60]), [0]]];
  const waiting = [answer(50), picture([10])];
  strictEqual(startOf({ slots: 4, running, waiting }), undefined);
});

Deno.test("nextStart() lets others pass a request whose group runs", () => {
  const one = picture([10]);
  const another = { ...picture([10]), group: one.group };
  const running: Run[] = [[one, [0]]];
  const start = (passed: number) =>
    startOf({
      slots: 4,
      running,
      waiting: [{ ...another, passed }, picture([10])],
    });
  strictEqual(start(0)?.index, 1);
  deepStrictEqual(start(0)?.passed, [0]);
  strictEqual(start(fairness.maxPasses)?.index, 0);
  strictEqual(startOf({ slots: 4, running, waiting: [another] })?.index, 0);
});

Deno.test("nextStart() lets other callers pass a request that does not fit until they are ahead by its size", () => {
  const running: Run[] = [[answer(80), [0]]];
  const start = (caller: string, tag: number) => {
    const waits = { ...answer(30), caller: "a", tag: 100 };
    const other = { ...answer(20), caller, tag };
    return startOf({ slots: 3, running, waiting: [waits, other] })?.index;
  };
  strictEqual(start("b", 130), 1);
  strictEqual(start("b", 131), undefined);
  strictEqual(start("a", 131), 1);
});

Deno.test("nextStart() lets answers of other callers pass a request that waits for a picture, however far they are ahead", () => {
  const running: Run[] = [[picture([60]), [0]]];
  const waits = { ...picture([50]), caller: "a", tag: 0 };
  const other = { ...answer(10), caller: "b", tag: 10_000 };
  strictEqual(
    startOf({ slots: 4, running, waiting: [waits, other] })?.index,
    1,
  );
});

Deno.test("nextStart() assigns adjacent slots to a pair if that adds no row", () => {
  const slots = (used: readonly number[]) =>
    startOf({
      slots: 6,
      running: used.map((slot) => [answer(1), [slot]]),
      waiting: [picture([1, 1])],
    })?.slots;
  deepStrictEqual(slots([]), [0, 1]);
  deepStrictEqual(slots([1, 4]), [2, 3]);
  deepStrictEqual(slots([1, 3]), [0, 2]);
  // Adjacent slots that begin below the highest one and end above it.
  deepStrictEqual(slots([1]), [0, 2]);
  deepStrictEqual(slots([0, 1, 2, 3]), [4, 5]);
});

Deno.test("nextStart() returns the slots to trim and the tokens to evict", () => {
  const budget = new CacheBudget(100, 2, { tokensHeld: 30 });
  budget.reserve(0, 1);
  budget.reserve(1, 50);
  budget.release(0, 1);
  budget.release(1, 50);
  const waiting = [answer(80)];
  const start = nextStart({ waiting, running: [], budget }, fairness);
  deepStrictEqual(start, {
    index: 0,
    slots: [0],
    trim: [1],
    evict: 10,
    passed: [],
  });
});

/** A running request and its slots. */
type Run = readonly [Reservation, readonly number[]];

/** Returns the start on a budget of 100 tokens. */
function startOf({ slots, running = [], waiting }: {
  readonly slots: number;
  readonly running?: readonly Run[];
  readonly waiting: readonly Waiting[];
}): ReturnType<typeof nextStart> {
  const budget = new CacheBudget(100, slots, { tokensHeld: 0 });
  for (const [{ rows }, used] of running) {
    for (const [row, slot] of used.entries()) budget.reserve(slot, rows[row]!);
  }
  const claims = running.map(([claim]) => claim);
  return nextStart({ waiting, running: claims, budget }, fairness);
}

function answer(row: number): Waiting {
  return { rows: [row], long: false, group: groups++, passed: 0 };
}

function picture(rows: readonly number[]): Waiting {
  return { rows, long: true, group: groups++, passed: 0 };
}
