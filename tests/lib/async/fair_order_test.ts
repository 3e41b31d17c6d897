/**
 * The laws of FairOrder: the next request among several callers.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { FairOrder } from "../../../lib/async/fair_order.ts";

interface Item {
  readonly caller: string;
  readonly cost: number;
}

const anyItem = fc.record({
  caller: fc.constantFrom("a", "b", "c"),
  cost: fc.integer({ min: 1, max: 20 }),
});

/** Starts the next request and removes it at once. */
function serve(order: FairOrder<Item>): Item {
  const [next] = order.order;
  order.start(next!);
  order.remove(next!);
  return next!;
}

function add(order: FairOrder<Item>, item: Item): void {
  order.add(item, item.caller, item.cost);
}

Deno.test("FairOrder serves one caller alone in order of arrival", () => {
  const anyMove = fc.oneof(
    anyItem.map((item) => ({ ...item, caller: "a" })),
    fc.constant("start" as const),
    fc.record({ end: fc.nat(), used: fc.nat(20) }),
    fc.record({ drop: fc.nat() }),
  );
  fc.assert(fc.property(fc.array(anyMove, { maxLength: 80 }), (moves) => {
    const order = new FairOrder<Item>();
    const waiting: Item[] = [];
    const running: Item[] = [];
    const take = (items: Item[], n: number) =>
      items.splice(n % Math.max(1, items.length), 1);
    for (const move of moves) {
      if (move === "start") {
        // Any request may start, since the first may not fit.
        const [item] = take(waiting, waiting.length >> 1);
        if (item === undefined) continue;
        order.start(item);
        running.push(item);
      } else if ("end" in move) {
        for (const item of take(running, move.end)) {
          order.remove(item, move.used);
        }
      } else if ("drop" in move) {
        for (const item of take(waiting, move.drop)) order.remove(item);
      } else {
        waiting.push(move);
        add(order, move);
      }
      deepStrictEqual(order.order, waiting);
      strictEqual(order.size, waiting.length);
    }
  }));
});

Deno.test("FairOrder serves callers that always wait equally, to within their largest request", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 60, maxLength: 90 }),
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 60, maxLength: 90 }),
    (first, second) => {
      const order = new FairOrder<Item>();
      for (const cost of first) add(order, { caller: "a", cost });
      for (const cost of second) add(order, { caller: "b", cost });
      const served = { a: 0, b: 0 };
      const left = { a: first.length, b: second.length };
      while (left.a > 0 && left.b > 0) {
        ok(Math.abs(served.a - served.b) <= 20, JSON.stringify(served));
        const { caller, cost } = serve(order);
        served[caller as "a" | "b"] += cost;
        left[caller as "a" | "b"]--;
      }
    },
  ));
});

Deno.test("FairOrder lets a newcomer wait for one request, however many are queued", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 300 }),
    fc.nat(50),
    (queued, served) => {
      const order = new FairOrder<Item>();
      for (let i = 0; i < queued; i++) add(order, { caller: "a", cost: 5 });
      for (let i = 0; i < Math.min(served, queued - 1); i++) serve(order);
      const newcomer = { caller: "b", cost: 1000 };
      add(order, newcomer);
      ok(order.order.indexOf(newcomer) <= 1);
    },
  ));
});

Deno.test("FairOrder does not accumulate unused service, nor charge for uncontended service", () => {
  const order = new FairOrder<Item>();
  const sequence = (n: number) =>
    Array.from({ length: n }, () => serve(order).caller).join("");
  const ask = (caller: string, n: number) => {
    for (let i = 0; i < n; i++) add(order, { caller, cost: 1 });
  };
  ask("a", 30);
  sequence(20);
  ask("b", 10);
  const both = sequence(10);
  strictEqual(both.replaceAll("a", "").length, 5, both);
  // Both queues become empty, which resets their counts.
  sequence(10);
  ask("b", 2);
  ask("a", 2);
  strictEqual(sequence(4), "baba");
});

Deno.test("FairOrder charges a caller for the service it used, not for its estimate", () => {
  const order = new FairOrder<Item>();
  for (let i = 0; i < 50; i++) add(order, { caller: "a", cost: 100 });
  for (let i = 0; i < 50; i++) add(order, { caller: "b", cost: 10 });
  const served = { a: 0, b: 0 };
  for (let i = 0; i < 40; i++) {
    const [next] = order.order;
    order.start(next!);
    order.remove(next!, 10);
    served[next!.caller as "a" | "b"]++;
  }
  deepStrictEqual(served, { a: 20, b: 20 });
});

Deno.test("FairOrder starts a request that did not fit before later ones of others", () => {
  const order = new FairOrder<Item>();
  const large = { caller: "a", cost: 1 };
  add(order, large);
  for (let i = 0; i < 10; i++) {
    const small = { caller: "a", cost: 5 };
    add(order, small);
    add(order, { caller: "b", cost: 5 });
    order.start(small);
    order.remove(small);
    strictEqual(order.order[0], large);
  }
});

Deno.test("FairOrder serves a thousand callers and evicts their accounts", () => {
  const order = new FairOrder<Item>();
  const anchor = { caller: "anchor", cost: 1 };
  add(order, anchor);
  order.start(anchor);
  for (let i = 0; i < 3000; i++) {
    add(order, { caller: `${i}`, cost: 1 });
    serve(order);
  }
  strictEqual(order.size, 0);
});

Deno.test("FairOrder serves a caller that joins after one request, whichever of the queued ones started", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 30 }),
    fc.array(fc.record({ index: fc.nat(), used: fc.nat(20) }), {
      maxLength: 10,
    }),
    (costs, starts) => {
      const order = new FairOrder<Item>();
      for (const cost of costs) add(order, { caller: "a", cost });
      for (const { index, used } of starts) {
        if (order.size <= 1) break;
        // Never the first: it waits for room, and the others pass it.
        const item = order.order[1 + index % (order.size - 1)]!;
        order.start(item);
        order.remove(item, used);
      }
      const joined = { caller: "b", cost: 1 };
      add(order, joined);
      ok(order.order.indexOf(joined) <= 1, `${order.order.indexOf(joined)}`);
    },
  ));
});
