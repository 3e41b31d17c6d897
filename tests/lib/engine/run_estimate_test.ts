import { ok } from "node:assert/strict";
import { Engine } from "../../../lib/engine/engine.ts";
import { FakeDecoder } from "../../support/fake_decoder.ts";
import { Greedy } from "../../support/policies.ts";

const NEVER = new AbortController().signal;

/**
 * Returns the Retry-After seconds of a third request, while the first holds all
 * slots for 1000 tokens.
 */
async function secondsBehind(tokensPerRun: number): Promise<number> {
  const decoder = new FakeDecoder({ slots: 2, contextLength: 2000 });
  await using engine = new Engine(decoder, {
    queueLimit: 1,
    cacheTokens: 4000,
    now: () => 0,
  });
  const run = (tokens: number) =>
    engine.run({
      prompts: [1, 2].map((token) => ({
        tokens: Int32Array.of(token),
        prefixBoundaries: [1],
      })),
      policy: new Greedy(2),
      maxNewTokens: tokens,
      tokensPerRun,
      long: false,
    }, NEVER);
  const first = run(1000);
  // It starts after its promise was returned.
  while (engine.state.running === 0) await Promise.resolve();
  const second = run(1);
  const { retryAfterSeconds } = await run(1).catch((error) => error);
  await Promise.all([first, second]);
  return retryAfterSeconds;
}

Deno.test("run() estimates the end of a request by its tokens per run", async () => {
  ok(await secondsBehind(100) * 20 < await secondsBehind(1));
});
