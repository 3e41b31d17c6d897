import { strictEqual } from "node:assert/strict";
import { delay } from "../../../lib/async/delay.ts";

Deno.test("delay() resolves by the clock", async () => {
  strictEqual(await delay(0), undefined);
});

Deno.test("delay() resolves as soon as the signal aborts", async () => {
  const controller = new AbortController();
  const waits = delay(1e6, controller.signal);
  controller.abort();
  await waits;
  await delay(1e6, controller.signal);
});
