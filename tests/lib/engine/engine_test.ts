import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Policy } from "../../../lib/engine/policy.ts";
import { CacheTooSmallError, PromptTooLongError } from "../../../lib/errors.ts";
import { fakeLogits, fakeState } from "../../support/fake_decoder.ts";
import { engineOn, requestOf } from "../../support/fake_engine.ts";
import { Greedy, Guessing } from "../../support/policies.ts";

const NEVER = new AbortController().signal;

/** Returns the choices on the fake decoder, computed without an engine. */
function expectedChoices(
  prompts: readonly (readonly number[])[],
  count: number,
): number[] {
  const rows = prompts.map((tokens) => [...tokens]);
  const policy = new Greedy(count);
  for (let i = 0; i < count; i++) {
    const logits = rows.map((tokens) => fakeLogits(fakeState(tokens), 16));
    const draft = policy.choose([logits]);
    for (const row of rows) row.push(...draft?.tokens ?? []);
  }
  return policy.chosen;
}

const anyPrompt = fc.array(fc.nat(15), { minLength: 1, maxLength: 11 });
const anyRequest = fc.record({
  prompts: fc.array(anyPrompt, { minLength: 1, maxLength: 2 }),
  count: fc.integer({ min: 1, max: 9 }),
});

Deno.test("run() returns the same result for a request alone and in any batch", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest, { minLength: 1, maxLength: 9 }),
      async (requests) => {
        const { decoder, engine } = engineOn();
        await using _ = engine;
        const policies = requests.map(({ count }) => new Greedy(count));
        await Promise.all(
          requests.map(({ prompts }, i) =>
            engine.run(requestOf(prompts, policies[i]!), NEVER)
          ),
        );
        deepStrictEqual(
          policies.map(({ chosen }) => chosen),
          requests.map(({ prompts, count }) => expectedChoices(prompts, count)),
        );
        strictEqual(decoder.slotsInUse, 0, "no slot leaks");
        strictEqual(engine.state.running + engine.state.waiting, 0);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("run() ends every request once, with any cancellations", async () => {
  const anyCanceled = fc.record({
    request: anyRequest,
    cancelAfter: fc.option(fc.nat(20), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyCanceled, { minLength: 1, maxLength: 9 }),
      async (plans) => {
        const controllers = plans.map(() => new AbortController());
        let runs = 0;
        const { decoder, engine } = engineOn({
          beforeRun: () => {
            for (const [i, { cancelAfter }] of plans.entries()) {
              if (cancelAfter === runs) {
                controllers[i]!.abort(new Error("gone"));
              }
            }
            runs++;
          },
        });
        await using _ = engine;
        const policies = plans.map(({ request }) => new Greedy(request.count));
        const results = await Promise.allSettled(
          plans.map(({ request }, i) =>
            engine.run(
              requestOf(request.prompts, policies[i]!),
              controllers[i]!.signal,
            )
          ),
        );
        for (const [i, { status }] of results.entries()) {
          const { prompts, count } = plans[i]!.request;
          if (status === "rejected") {
            ok(controllers[i]!.signal.aborted, "only canceled requests reject");
          } else {
            deepStrictEqual(
              policies[i]!.chosen,
              expectedChoices(prompts, count),
            );
          }
        }
        strictEqual(decoder.slotsInUse, 0, "no slot leaks");
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("run() stops within a step of its signal", async () => {
  const controller = new AbortController();
  const { decoder, engine } = engineOn();
  await using _ = engine;
  const policy = new Greedy(50, () => {
    if (policy.chosen.length === 5) controller.abort(new Error("gone"));
  });
  await rejects(
    engine.run(requestOf([[1, 2]], policy, 50), controller.signal),
    { message: "gone" },
  );
  strictEqual(policy.chosen.length, 5);
  strictEqual(decoder.slotsInUse, 0);
});

Deno.test("run() splits prompts by position and runs steps of others in between", async () => {
  const { decoder, engine } = engineOn({ chunkLength: 4 });
  await using _ = engine;
  const long = Array.from({ length: 11 }, (_, i) => i);
  await Promise.all([
    engine.run(requestOf([[1]], new Greedy(9)), NEVER),
    engine.run(requestOf([long], new Greedy(2)), NEVER),
  ]);
  const chunks = decoder.prefills.filter(({ slot }) => slot === 1);
  deepStrictEqual(
    chunks.map(({ start, length }) => [start, length]),
    [[0, 4], [4, 4], [8, 3]],
  );
  const alone = decoder.steps.filter((feeds) => feeds.length === 1);
  ok(alone.length >= 3, "the first decodes during the prefill of the second");
});

Deno.test("run() refuses requests beyond the context, with both numbers", async () => {
  const { engine } = engineOn({ contextLength: 10 });
  await using _ = engine;
  const run = engine.run(requestOf([[1, 2, 3]], new Greedy(1), 8), NEVER);
  await rejects(run, (error) => {
    ok(error instanceof PromptTooLongError);
    deepStrictEqual([error.needed, error.available], [11, 10]);
    return true;
  });
});

Deno.test("run() that fails in the decoder fails the requests in it and no later ones", async () => {
  let broken = true;
  const { decoder, engine } = engineOn({
    beforeRun: () => {
      if (broken) throw new Error("broken");
    },
  });
  await using _ = engine;
  await rejects(
    engine.run(requestOf([[1]], new Greedy(2)), NEVER),
    { message: "broken" },
  );
  broken = false;
  const policy = new Greedy(2);
  await engine.run(requestOf([[1]], policy), NEVER);
  deepStrictEqual(policy.chosen, expectedChoices([[1]], 2));
  strictEqual(decoder.slotsInUse, 0);
});

Deno.test("run() whose policy throws fails alone", async () => {
  const { engine } = engineOn();
  await using _ = engine;
  const policy = new Greedy(6);
  const throwing: Policy = {
    head: "codes",
    choose: () => {
      throw new RangeError("not numbers");
    },
  };
  const results = await Promise.allSettled([
    engine.run(requestOf([[4]], policy), NEVER),
    engine.run(requestOf([[4]], throwing), NEVER),
  ]);
  deepStrictEqual(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
  ]);
  deepStrictEqual(policy.chosen, expectedChoices([[4]], 6));
});

Deno.test("Engine ends running and waiting requests when closed", async () => {
  const { decoder, engine } = engineOn({ slots: 2 });
  const requests = [1, 2, 3].map(() =>
    engine.run(requestOf([[1], [2]], new Greedy(40), 40), NEVER)
  );
  const settled = Promise.allSettled(requests);
  await engine[Symbol.asyncDispose]();
  deepStrictEqual((await settled).map(({ status }) => status), [
    "rejected",
    "rejected",
    "rejected",
  ]);
  strictEqual(decoder.slotsInUse, 0);
});

Deno.test("Statistics count the runs that a request took part in", async () => {
  const { engine } = engineOn({ chunkLength: 4 });
  await using _ = engine;
  const statistics = await engine.run(
    requestOf([[1, 2, 3, 4, 5], [6]], new Greedy(3)),
    NEVER,
  );
  // Three chunks of prompts; the last choice is not appended.
  strictEqual(statistics.forwards, 3 + 2);
});

Deno.test("run() with a speculating policy equals one token at a time, beside others", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest, { minLength: 1, maxLength: 6 }),
      async (requests) => {
        const { decoder, engine } = engineOn();
        await using _ = engine;
        const policies = requests.map(({ count }, i) =>
          i % 2 === 0 ? new Guessing(count) : new Greedy(count)
        );
        await Promise.all(
          requests.map(({ prompts }, i) =>
            engine.run(requestOf(prompts, policies[i]!, 12), NEVER)
          ),
        );
        deepStrictEqual(
          policies.map(({ chosen }) => chosen),
          requests.map(({ prompts, count }) => expectedChoices(prompts, count)),
        );
        strictEqual(decoder.slotsInUse, 0, "no slot leaks");
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("run() prefills no prompt twice, nor a shared prefix", async () => {
  const { decoder, engine } = engineOn({ chunkLength: 16 });
  await using _ = engine;
  const tokens = [3, 1, 4, 1, 5, 9, 2, 6];
  const ask = async (tokens: number[], prefixBoundaries: number[]) => {
    const policy = new Greedy(3);
    const request = requestOf([tokens], policy);
    await engine.run({
      ...request,
      prompts: [{ tokens: Int32Array.from(tokens), prefixBoundaries }],
    }, NEVER);
    deepStrictEqual(policy.chosen, expectedChoices([tokens], 3));
  };
  await ask(tokens, [2, 5, 8]);
  deepStrictEqual(decoder.prefills.map(({ length }) => length), [2, 3, 3]);
  await ask(tokens, [2, 5, 8]);
  strictEqual(decoder.prefills.length, 3, "all of it is known");
  await ask([3, 1, 4, 1, 5, 7, 7], [2, 5, 7]);
  deepStrictEqual(
    decoder.prefills.slice(3).map(({ start, length }) => [start, length]),
    [[5, 2]],
  );
  // A prompt is not shared without a prefix boundary.
  await ask([3, 1, 4, 7], [4]);
  deepStrictEqual(decoder.prefills.at(-1)!.start, 0);
  deepStrictEqual(engine.state.cache.prefixes, {
    hits: 2,
    misses: 2,
    tokensSaved: 8 + 5,
    evictions: 0,
  });
});

Deno.test("Engine moves rows down when a slot below them is free", async () => {
  const { decoder, engine } = engineOn();
  await using _ = engine;
  const policies = [2, 9, 9].map((count) => new Greedy(count));
  const prompts = [[1], [2], [3]];
  await Promise.all(
    policies.map((policy, i) =>
      engine.run(requestOf([prompts[i]!], policy, 9), NEVER)
    ),
  );
  ok(decoder.moves.length > 0);
  for (const feeds of decoder.steps.slice(-6)) {
    const slots = feeds.map(({ slot }) => slot).sort();
    deepStrictEqual(
      slots,
      [...feeds.keys()],
      "no row below the highest is idle",
    );
  }
  deepStrictEqual(
    policies.map(({ chosen }) => chosen),
    [2, 9, 9].map((count, i) => expectedChoices([prompts[i]!], count)),
  );
});

Deno.test("Engine starts an answer at once beside all the pictures that fit", async () => {
  const { engine } = engineOn({ slots: 4 });
  await using _ = engine;
  const pictures = Array.from({ length: 6 }, () => new Greedy(20));
  const drawn = pictures.map((policy, i) =>
    engine.run(requestOf([[i]], policy, 20, true), NEVER)
  );
  while (pictures[0]!.chosen.length < 3) await Promise.resolve();
  const answer = new Greedy(4);
  const statistics = await engine.run(requestOf([[7, 7]], answer), NEVER);
  ok(pictures[0]!.chosen.length < 20, "no picture had to end first");
  deepStrictEqual(answer.chosen, expectedChoices([[7, 7]], 4));
  strictEqual(statistics.forwards, 4);
  await Promise.all(drawn);
});

Deno.test("Engine never holds more tokens than its budget, and trims reclaimed memory", async () => {
  const { decoder, engine } = engineOn({}, { cacheTokens: 40 });
  await using _ = engine;
  const prompts = Array.from(
    { length: 12 },
    (_, i) => Array.from({ length: 6 + i }, (_, j) => (i * j) % 16),
  );
  const policies = prompts.map(() => new Greedy(5));
  const runs = prompts.map((prompt, i) =>
    engine.run(requestOf([prompt], policies[i]!), NEVER).then(() => {
      const { tokens, tokensHeld } = engine.state.cache;
      ok(tokensHeld <= tokens, `${tokensHeld} of ${tokens}`);
    })
  );
  await Promise.all(runs);
  deepStrictEqual(
    policies.map(({ chosen }) => chosen),
    prompts.map((prompt) => expectedChoices([prompt], 5)),
  );
  const { evictions } = engine.state.cache.prefixes;
  ok(decoder.trims.length > 0 && evictions > 0);
  strictEqual(decoder.discards.length, evictions);
});

Deno.test("run() refuses requests that never fit into the memory of all", async () => {
  const { engine } = engineOn({}, { cacheTokens: 20 });
  await using _ = engine;
  await rejects(
    engine.run(requestOf([[1, 2], [3, 4]], new Greedy(2), 9), NEVER),
    CacheTooSmallError,
  );
  await engine.run(requestOf([[1], [3]], new Greedy(2), 9), NEVER);
});
