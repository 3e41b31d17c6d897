/**
 * The laws of the preview pace.
 */

import { ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { PreviewRate } from "../../../functions/inference/preview_rate.ts";

Deno.test("PreviewRate uses at most a tenth of the time, for any cost of previews", async () => {
  const anyCosts = fc.array(fc.integer({ min: 1, max: 500 }), {
    minLength: 2,
    maxLength: 50,
  });
  await fc.assert(fc.asyncProperty(anyCosts, async (costs) => {
    let now = 0;
    let spent = 0;
    let last = 0;
    const pace = new PreviewRate(() => now);
    for (const cost of costs) {
      while (!pace.due) now++;
      await pace.run(() => {
        now += cost;
        return Promise.resolve();
      });
      spent += cost;
      last = cost;
    }
    ok(spent - last <= (now - last) / 10, `${spent} of ${now}`);
  }));
});

Deno.test("PreviewRate begins at once, and also pauses after a failure", async () => {
  let now = 10;
  const pace = new PreviewRate(() => now);
  strictEqual(pace.due, true);
  await rejects(pace.run(() => {
    now += 5;
    return Promise.reject(new Error("no"));
  }));
  strictEqual(pace.due, false);
  now += 199;
  strictEqual(pace.due, false);
  now += 1;
  strictEqual(pace.due, true);
});

Deno.test("PreviewRate leaves 200 ms between two previews, however fast they are", async () => {
  let now = 0;
  const pace = new PreviewRate(() => now);
  for (let i = 0; i < 3; i++) {
    await pace.run(() => Promise.resolve());
    now += 199;
    strictEqual(pace.due, false);
    now += 1;
    strictEqual(pace.due, true);
  }
});
