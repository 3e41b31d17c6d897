import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { MemoryReclaimer } from "../../../functions/models/memory_reclaimer.ts";
import { reclaimMemory } from "../../../lib/runtime/memory/reclaim_memory.ts";

const MEGABYTE = 2 ** 20;

/** Returns a process whose memory a test sets. */
function fakeProcess() {
  const state = {
    used: 100 * MEGABYTE,
    dead: 0,
    busy: 0,
    served: 0,
    reclaims: 0,
  };
  const reclaimer = new MemoryReclaimer({
    residentBytes: () => state.used + state.dead,
    busy: () => state.busy,
    served: () => state.served,
    reclaim: () => {
      state.dead = 0;
      state.reclaims++;
      return Promise.resolve();
    },
    onFailure: (error) => {
      throw error;
    },
  });
  return { state, reclaimer };
}

Deno.test("MemoryReclaimer leaves at most 16 MiB of dead memory to an idle process", async () => {
  const step = fc.record({
    dead: fc.integer({ min: 0, max: 300 }),
    busy: fc.boolean(),
  });
  await fc.assert(fc.asyncProperty(fc.array(step), async (steps) => {
    const { state, reclaimer } = fakeProcess();
    await reclaimer.look();
    for (const { dead, busy } of steps) {
      state.dead += dead * MEGABYTE;
      state.busy = busy ? 3 : 0;
      state.served += busy ? 1 : 0;
      await reclaimer.look();
    }
    state.busy = 0;
    await reclaimer.look();
    await reclaimer.look();
    ok(state.dead < 16 * MEGABYTE);
  }));
});

Deno.test("MemoryReclaimer continues while memory is freed, and then stops", async () => {
  // Each collection frees a half: buffers are freed beside it.
  let dead = 512 * MEGABYTE;
  let reclaims = 0;
  const reclaimer = new MemoryReclaimer({
    residentBytes: () => 100 * MEGABYTE + dead,
    busy: () => 0,
    served: () => 0,
    reclaim: () => {
      dead /= 2;
      reclaims++;
      return Promise.resolve();
    },
    onFailure: (error) => {
      throw error;
    },
  });
  for (let i = 0; i < 20; i++) await reclaimer.look();
  ok(dead < 16 * MEGABYTE);
  strictEqual(reclaims, 6);
});

Deno.test("MemoryReclaimer does not reclaim again for memory in use", async () => {
  const { state, reclaimer } = fakeProcess();
  state.used = 2000 * MEGABYTE;
  for (let i = 0; i < 10; i++) await reclaimer.look();
  strictEqual(state.reclaims, 1);
});

Deno.test("MemoryReclaimer waits for large growth and several checks while requests arrive", async () => {
  for (const load of [{ busy: 1, each: 0 }, { busy: 0, each: 1 }]) {
    const { state, reclaimer } = fakeProcess();
    await reclaimer.look();
    strictEqual(state.reclaims, 1);
    state.busy = load.busy;
    const look = async () => {
      state.served += load.each;
      await reclaimer.look();
    };
    state.dead = 100 * MEGABYTE;
    for (let i = 0; i < 20; i++) await look();
    strictEqual(state.reclaims, 1);
    state.dead = 300 * MEGABYTE;
    await look();
    strictEqual(state.reclaims, 2);
    state.dead = 300 * MEGABYTE;
    for (let i = 0; i < 4; i++) await look();
    strictEqual(state.reclaims, 2);
    await look();
    strictEqual(state.reclaims, 3);
  }
});

Deno.test("MemoryReclaimer reports errors, and continues", async () => {
  const failures: unknown[] = [];
  const reclaimer = new MemoryReclaimer({
    residentBytes: () => 2 ** 30,
    busy: () => 0,
    served: () => 0,
    reclaim: () => Promise.reject("no memory"),
    onFailure: (error) => failures.push(error),
  });
  await reclaimer.look();
  await reclaimer.look();
  deepStrictEqual(failures, ["no memory", "no memory"]);
});

Deno.test("reclaimMemory() frees unreferenced memory", async () => {
  let held: Uint8Array[] | undefined = Array.from(
    { length: 1000 },
    () => new Uint8Array(50_000),
  );
  const before = Deno.memoryUsage().external;
  ok(before > 50_000_000 && held.length > 0);
  held = undefined;
  await reclaimMemory();
  ok(Deno.memoryUsage().external < before - 40_000_000);
});
