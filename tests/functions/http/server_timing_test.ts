import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  serverTiming,
  Stopwatch,
} from "../../../functions/http/server_timing.ts";

const WAIT_MS = 30;

const wait = () => new Promise((resolve) => setTimeout(resolve, WAIT_MS));

Deno.test("Stopwatch.arrivals() counts the time until values arrive, not that of their reader", async () => {
  async function* values() {
    for (const value of [1, 2]) {
      await wait();
      yield value;
    }
  }
  const watch = new Stopwatch();
  const seen: number[] = [];
  const began = performance.now();
  for await (const value of watch.arrivals(values())) {
    seen.push(value);
    await wait();
  }
  deepStrictEqual(seen, [1, 2]);
  // A timer may end a millisecond early.
  ok(watch.milliseconds >= 2 * (WAIT_MS - 1));
  ok(watch.milliseconds <= performance.now() - began - 2 * (WAIT_MS - 1));
});

Deno.test("Stopwatch.arrivals() ends its source with its reader", async () => {
  let ended = false;
  async function* values() {
    try {
      while (true) yield await Promise.resolve(1);
    } finally {
      ended = true;
    }
  }
  for await (const _value of new Stopwatch().arrivals(values())) break;
  strictEqual(ended, true);
});

Deno.test("serverTiming() names the parts, in milliseconds", () => {
  strictEqual(
    serverTiming({ "queue_s": 0.0015, "vision_s": 2 }),
    "queue;dur=1.5, vision;dur=2000.0",
  );
});
