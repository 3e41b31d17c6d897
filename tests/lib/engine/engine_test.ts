import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../../lib/engine/engine.ts";
import type { EngineRequest, Policy } from "../../../lib/engine/sequence.ts";
import { OverloadedError, PromptTooLongError } from "../../../lib/errors.ts";
import {
  FakeDecoder,
  type FakeDecoderOptions,
  fakeLogits,
  fakeState,
} from "../../support/fake_decoder.ts";
import { argmax } from "../../../lib/sampling/sampler.ts";

const NEVER = new AbortController().signal;

/** Chooses the strongest of the summed rows, `count` times over. */
class Greedy implements Policy {
  readonly head = "codes";
  readonly chosen: number[] = [];
  readonly #count: number;
  readonly #onChoice: () => void;

  constructor(count: number, onChoice: () => void = () => {}) {
    this.#count = count;
    this.#onChoice = onChoice;
  }

  choose(rows: readonly Float32Array[]): readonly number[] {
    const sum = rows[0]!.map((_, i) => rows.reduce((s, row) => s + row[i]!, 0));
    this.chosen.push(argmax(sum));
    this.#onChoice();
    return this.chosen.length < this.#count ? this.chosen.slice(-1) : [];
  }
}

function engineOn(
  options: Partial<FakeDecoderOptions> = {},
  queueLimit = 64,
): { decoder: FakeDecoder; engine: Engine } {
  const decoder = new FakeDecoder({
    slots: 4,
    contextLength: 64,
    ...options,
  });
  let time = 0;
  const engine = new Engine(decoder, { queueLimit, now: () => time++ });
  return { decoder, engine };
}

function requestOf(
  prompts: readonly (readonly number[])[],
  policy: Policy,
  maxNewTokens = 8,
): EngineRequest {
  return {
    prompts: prompts.map((tokens) => Int32Array.from(tokens)),
    maxNewTokens,
    policy,
  };
}

/** What the fake decoder must lead to, worked out without an engine. */
function expectedChoices(
  prompts: readonly (readonly number[])[],
  count: number,
): number[] {
  const rows = prompts.map((tokens) => [...tokens]);
  const policy = new Greedy(count);
  for (let i = 0; i < count; i++) {
    const logits = rows.map((tokens) => fakeLogits(fakeState(tokens), 16));
    for (const token of policy.choose(logits)) {
      for (const row of rows) row.push(token);
    }
  }
  return policy.chosen;
}

const anyPrompt = fc.array(fc.nat(15), { minLength: 1, maxLength: 11 });
const anyRequest = fc.record({
  prompts: fc.array(anyPrompt, { minLength: 1, maxLength: 2 }),
  count: fc.integer({ min: 1, max: 9 }),
});

Deno.test("run() gives every request what it would get alone, whatever else runs", async () => {
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
        strictEqual(engine.running + engine.waiting, 0);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("run() ends every request once, however many are cancelled when", async () => {
  const anyCancelled = fc.record({
    request: anyRequest,
    cancelAfter: fc.option(fc.nat(20), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyCancelled, { minLength: 1, maxLength: 9 }),
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
            ok(controllers[i]!.signal.aborted, "only the cancelled are");
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

Deno.test("run() cuts prompts by position and feeds others in between", async () => {
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
  ok(alone.length >= 3, "the first went on while the second was prefilled");
});

Deno.test("run() refuses what does not fit into the context, with both numbers", async () => {
  const { engine } = engineOn({ contextLength: 10 });
  await using _ = engine;
  const run = engine.run(requestOf([[1, 2, 3]], new Greedy(1), 8), NEVER);
  await rejects(run, (error) => {
    ok(error instanceof PromptTooLongError);
    deepStrictEqual([error.needed, error.available], [11, 10]);
    return true;
  });
});

Deno.test("run() refuses more than may wait, and says when to come back", async () => {
  const { engine } = engineOn({ slots: 2 }, 1);
  await using _ = engine;
  const first = engine.run(requestOf([[1], [2]], new Greedy(5)), NEVER);
  await Promise.resolve();
  await Promise.resolve();
  const second = engine.run(requestOf([[1], [2]], new Greedy(1)), NEVER);
  await rejects(
    engine.run(requestOf([[1]], new Greedy(1)), NEVER),
    (error) => error instanceof OverloadedError && error.retryAfterSeconds >= 1,
  );
  await Promise.all([first, second]);
});

Deno.test("a failing run fails those in it and nobody later", async () => {
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

Deno.test("a policy that throws fails its own request only", async () => {
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

Deno.test("closing ends what runs and what waits", async () => {
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

Deno.test("statistics count the runs that a request took part in", async () => {
  const { engine } = engineOn({ chunkLength: 4 });
  await using _ = engine;
  const statistics = await engine.run(
    requestOf([[1, 2, 3, 4, 5], [6]], new Greedy(3)),
    NEVER,
  );
  // Three chunks of prompts; the last choice is not fed.
  strictEqual(statistics.forwards, 3 + 2);
});
