import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Engine } from "../../lib/engine/engine.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { logProbability } from "../../lib/sampling/log_probabilities.ts";
import { scoringChunk, ScoringPolicy } from "../../lib/scoring_policy.ts";
import { FakeDecoder, fakeLogits, fakeState } from "../support/fake_decoder.ts";

const WIDTH = 16;
const NEVER = new AbortController().signal;

/** The tokens of a small picture: 100 ends a row, and is forced. */
const anyGiven = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.array(fc.nat(WIDTH - 1), { minLength: 1, maxLength: 24 }),
).map(([width, codes]) => {
  const tokens = codes.flatMap((code, i) =>
    (i + 1) % width === 0 && i + 1 < codes.length ? [code, 100] : [code]
  );
  return Int32Array.from(tokens);
});
const anyPrompt = fc.array(fc.nat(99), { minLength: 1, maxLength: 6 })
  .map((tokens) => Int32Array.from(tokens));

function promptOf(tokens: Int32Array<ArrayBuffer>) {
  return { tokens, prefixBoundaries: [tokens.length] };
}

function fakeEngine(options: { beforeRun?: () => void } = {}) {
  const decoder = new FakeDecoder({
    slots: 4,
    contextLength: 64,
    width: WIDTH,
    ...options,
  });
  const engine = new Engine(decoder, {
    queueLimit: 4,
    cacheTokens: 256,
    now: () => 0,
  });
  return { decoder, engine };
}

Deno.test("ScoringPolicy scores each token given all before it, for any chunk", async () => {
  await fc.assert(fc.asyncProperty(
    anyGiven,
    anyPrompt,
    fc.option(anyPrompt, { nil: undefined }),
    fc.integer({ min: 2, max: 9 }),
    async (tokens, prompt, negative, chunk) => {
      const { decoder, engine } = fakeEngine();
      await using _ = engine;
      const choices = tokens.map((token) => token === 100 ? -1 : token);
      const policy = new ScoringPolicy({ tokens, choices }, {
        head: "codes",
        guidanceScale: 3,
        chunk,
      });
      const prompts = [prompt, ...(negative ? [negative] : [])];
      await engine.run({
        prompts: prompts.map(promptOf),
        maxNewTokens: tokens.length - 1,
        policy,
        long: true,
      }, NEVER);
      const expected = [...choices].flatMap((choice, i) => {
        if (choice === -1) return [];
        const [conditional, unconditional] = prompts.map((prompt) =>
          fakeLogits(fakeState([...prompt, ...tokens.slice(0, i)]), WIDTH)
        );
        if (unconditional) guide(conditional!, unconditional, 3);
        return [logProbability(conditional!, choice)];
      });
      deepStrictEqual(policy.logprobs, expected);
      const widest = decoder.wides.flat().map(({ tokens }) => tokens.length);
      ok(Math.max(0, ...widest) <= chunk);
      const runs = decoder.wides.length + decoder.steps.length;
      strictEqual(runs, Math.ceil((tokens.length - 1) / chunk));
    },
  ));
});

Deno.test("ScoringPolicy stops within a run of its signal", async () => {
  const leave = new AbortController();
  let runs = 0;
  const { decoder, engine } = fakeEngine({
    beforeRun: () => {
      if (++runs === 3) leave.abort();
    },
  });
  await using _ = engine;
  const tokens = new Int32Array(40);
  const policy = new ScoringPolicy({ tokens, choices: tokens }, {
    head: "codes",
    guidanceScale: 1,
    chunk: 4,
  });
  const request = {
    prompts: [promptOf(Int32Array.of(1))],
    maxNewTokens: 39,
    policy,
    long: true,
  };
  const outcome = await engine.run(request, leave.signal)
    .catch((error) => error);
  strictEqual(outcome, leave.signal.reason);
  strictEqual(runs, 3);
  strictEqual(decoder.slotsInUse, 0);
});

Deno.test("scoringChunk() keeps the logits of a run under 32 MiB, with two tokens at least", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 200_000 }),
    fc.constantFrom(1, 2),
    (scored, rows) => {
      const chunk = scoringChunk(scored, rows);
      ok(chunk >= 2 && chunk <= 64);
      ok(chunk * rows * scored * 4 <= 2 ** 25);
    },
  ));
});

Deno.test("logProbability() is a distribution's logarithm: exponentials sum to one", () => {
  const anyLogits = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(fc.property(anyLogits, (values) => {
    const logits = Float32Array.from(values);
    const sum = values.keys()
      .reduce((sum, i) => sum + Math.exp(logProbability(logits, i)), 0);
    ok(Math.abs(sum - 1) < 1e-9);
  }));
});
