import { ok, strictEqual } from "node:assert/strict";
import { Engine } from "../../../lib/engine/engine.ts";
import { FakeDecoder } from "../../support/fake_decoder.ts";
import { Greedy } from "../../support/policies.ts";

Deno.test("state reports the longest wait, and the number of decoder runs", async () => {
  const decoder = new FakeDecoder({ slots: 1, contextLength: 64 });
  let time = 0;
  await using engine = new Engine(decoder, {
    queueLimit: 9,
    cacheTokens: 256,
    now: () => time++,
  });
  const run = (token: number) =>
    engine.run({
      prompts: [{ tokens: Int32Array.of(token), prefixBoundaries: [1] }],
      maxNewTokens: 8,
      policy: new Greedy(3),
      long: false,
    }, new AbortController().signal);
  strictEqual(engine.state.oldestWaitMs, 0);
  const first = run(1);
  const second = run(2);
  // The clock advances at every read.
  const wait = engine.state.oldestWaitMs;
  ok(wait > 0);
  ok(engine.state.oldestWaitMs > wait, "it grows");
  await Promise.all([first, second]);
  strictEqual(engine.state.oldestWaitMs, 0);
  // One prompt and two appended tokens each.
  strictEqual(decoder.steps.length, 4);
  strictEqual(engine.state.forwards, 2 + decoder.steps.length);
});
