import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { Door } from "../../functions/gate.ts";
import { OverloadedError } from "../../lib/errors.ts";

/** When one who is refused is told to come again, in seconds. */
function refusal(door: Door): number {
  try {
    door.enter();
  } catch (error) {
    ok(error instanceof OverloadedError);
    return error.retryAfterSeconds;
  }
  throw new Error("it was let in");
}

Deno.test("Door lets in as many as it may, and one for each who leaves", () => {
  const door = new Door(2, () => 0);
  const enteredAt = door.enter();
  door.enter();
  throws(() => door.enter(), OverloadedError);
  door.leave(enteredAt);
  door.enter();
  throws(() => door.enter(), OverloadedError);
});

Deno.test("Door tells who is refused one after the other to come one after the other, at the pace of places", () => {
  const anyPace = fc.integer({ min: 10, max: 60 });
  fc.assert(fc.property(anyPace, fc.integer({ min: 1, max: 40 }), (s, n) => {
    let now = 0;
    const door = new Door(1, () => now);
    let enteredAt = door.enter();
    // Long enough at this pace to know it, while places are wanted.
    for (let i = 0; i < 100; i++) {
      now += 1000 * s;
      refusal(door);
      door.leave(enteredAt);
      enteredAt = door.enter();
    }
    now += 3_600_000;
    for (let i = 1; i <= n; i++) {
      const told = refusal(door);
      ok(told >= 0.9 * i * s - 1 || told >= 599, `${told} for ${i} × ${s}`);
      ok(told <= Math.min(600, 1.1 * i * s + 1), `${told} for ${i} × ${s}`);
    }
  }));
});

Deno.test("Door forgets promises that have passed", () => {
  let now = 0;
  const door = new Door(1, () => now);
  door.enter();
  for (let i = 0; i < 10; i++) refusal(door);
  ok(refusal(door) > 1);
  now += 3_600_000;
  strictEqual(refusal(door), 1);
});

Deno.test("Door knows the pace before anybody is refused, from how long many together take", () => {
  let now = 0;
  const door = new Door(4, () => now);
  const entered = [door.enter(), door.enter(), door.enter(), door.enter()];
  for (let i = 0; i < 200; i++) {
    now += 5000;
    door.leave(entered.shift()!);
    entered.push(door.enter());
  }
  const told = [refusal(door), refusal(door), refusal(door)];
  for (const [i, seconds] of told.entries()) {
    ok(Math.abs(seconds - 5 * (i + 1)) <= 1 + i, `${told}`);
  }
});
