import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { guide } from "../../../lib/sampling/guidance.ts";
import { uniformAt } from "../../../lib/sampling/random.ts";
import {
  argmax,
  distributionOf,
  draw,
  sample,
} from "../../../lib/sampling/sampler.ts";
import {
  goldenJson,
  goldenPath,
  TINY_VOCABULARY,
} from "../../support/golden.ts";
import { float32, readSafetensors } from "../../support/safetensors.ts";

/** `sampling.json`. */
interface Golden {
  readonly steps: readonly {
    readonly step: number;
    /** The one token that the layout allows, if there is only one. */
    readonly "forced_id": number | null;
  }[];
  readonly settings: readonly Setting[];
}

interface Setting {
  readonly step: number;
  readonly guidance: number;
  readonly temperature: number;
  readonly "top_k": number;
  readonly "top_p": number;
  /**
   * Distance of the last kept from the first dropped; null if none is dropped.
   */
  readonly "top_k_gap": number | null;
  readonly "top_p_gap": number | null;
  /** Row of `probs`; null if a token is forced. */
  readonly row: number | null;
  readonly only: number | null;
}

const golden = goldenJson<Golden>("sampling.json");
const tensors = readSafetensors(goldenPath("sampling.safetensors"));
const { firstCode, codebookSize } = TINY_VOCABULARY;

/** Logits in steps that stay apart as probabilities; ties are common. */
const logit = fc.integer({ min: -60, max: 60 }).map((value) => value / 4);
const anyLogits = fc.array(logit, { minLength: 1, maxLength: 50 })
  .map((values) => Float32Array.from(values));
const anyOptions = fc.record({
  temperature: fc.double({ min: 0.05, max: 4, noNaN: true }),
  topK: fc.integer({ min: 0, max: 60 }),
  topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

Deno.test("distributionOf() matches the reference in every setting in which codes are free", () => {
  const free = golden.settings.filter(({ row }) => row !== null);
  strictEqual(free.length, 79);
  for (const setting of free) {
    const actual = new Float64Array(codebookSize);
    const { tokens, probabilities } = distributionOf(guided(setting), {
      temperature: setting.temperature,
      topK: setting.top_k,
      topP: setting.top_p,
    });
    tokens.forEach((token, i) => actual[token] = probabilities[i]!);
    const start = setting.row! * codebookSize;
    const expected = float32(tensors, "probs")
      .subarray(start, start + codebookSize);
    // Closer than this to the edge, rounding decides which token is kept.
    ok((setting.top_k_gap ?? 1) > 1e-6 && (setting.top_p_gap ?? 1) > 1e-6);
    for (const [code, value] of expected.entries()) {
      const difference = Math.abs(actual[code]! - value);
      const where = `row ${setting.row}, code ${code}`;
      ok(difference < 1e-5, `${where}: ${actual[code]}, expected ${value}`);
    }
  }
});

Deno.test("Golden settings force a token exactly where the reference leaves one choice", () => {
  const forced = golden.settings.filter(({ row }) => row === null);
  strictEqual(forced.length, 2);
  for (const { step, only } of forced) {
    strictEqual(golden.steps.find((s) => s.step === step)!.forced_id, only);
    strictEqual(only, TINY_VOCABULARY.eol);
  }
});

Deno.test("distributionOf() sums to one and orders tokens, in any setting", () => {
  fc.assert(fc.property(anyLogits, anyOptions, (logits, options) => {
    const { tokens, probabilities } = distributionOf(logits, options);
    const sum = probabilities.reduce((sum, p) => sum + p);
    ok(Math.abs(sum - 1) < 1e-12);
    ok(probabilities.every((p) => p >= 0));
    deepStrictEqual(tokens, tokens.toSorted());
    ok(tokens.includes(argmax(logits)));
  }));
});

Deno.test("distributionOf() keeps every tie at the k-th place, as the reference does (trap 14)", () => {
  const logits = Float32Array.of(3, 1, 2, 2, 2, 0);
  const keep = (topK: number) => [
    ...distributionOf(logits, { temperature: 1, topK, topP: 1 }).tokens,
  ];
  deepStrictEqual(keep(1), [0]);
  deepStrictEqual(keep(2), [0, 2, 3, 4]);
  deepStrictEqual(keep(4), [0, 2, 3, 4]);
  deepStrictEqual(keep(5), [0, 1, 2, 3, 4]);
  deepStrictEqual(keep(0), [0, 1, 2, 3, 4, 5]);
});

Deno.test("distributionOf() keeps as few tokens as reach top-p, and always one (trap 14)", () => {
  fc.assert(fc.property(anyLogits, anyOptions, (logits, options) => {
    const all = distributionOf(logits, { ...options, topP: 1 });
    const kept = distributionOf(logits, options);
    const of = new Map(
      Array.from(all.tokens, (token, i) => [token, all.probabilities[i]!]),
    );
    const reached = Array.from(kept.tokens, (token) => of.get(token)!);
    const sum = reached.reduce((sum, p) => sum + p);
    ok(sum > options.topP - 1e-9, `${sum}`);
    const weakest = Math.min(...reached);
    ok(reached.length === 1 || sum - weakest < options.topP + 1e-9);
  }));
});

Deno.test("draw() follows distributionOf(), in 100,000 draws", () => {
  const whole = distributionOf(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i) * 2),
    { temperature: 0.8, topK: 16, topP: 0.95 },
  );
  const draws = 100_000;
  const counts = new Map<number, number>();
  for (let at = 0; at < draws; at++) {
    const token = draw(whole, uniformAt({ seed: 11, stream: 2 }, at));
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  ok([...counts.keys()].every((token) => whole.tokens.includes(token)));
  let chiSquare = 0;
  for (const [i, token] of whole.tokens.entries()) {
    const expected = whole.probabilities[i]! * draws;
    chiSquare += ((counts.get(token) ?? 0) - expected) ** 2 / expected;
  }
  // At most 15 degrees of freedom: beyond 45 once in 10,000 fair samples.
  ok(chiSquare < 45, `${chiSquare}`);
});

Deno.test("sample() draws from distributionOf()", () => {
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(anyLogits, anyOptions, uniform, (logits, how, u) => {
    strictEqual(
      sample(logits, how, () => u),
      draw(distributionOf(logits, how), u),
    );
  }));
});

Deno.test("sample() takes the first of the most probable at temperature 0, without a random number", () => {
  const refuse = () => {
    throw new Error("no random number may be used");
  };
  const options = { temperature: 0, topK: 3, topP: 0.5 };
  strictEqual(sample(Float32Array.of(1, 4, 4, -2), options, refuse), 1);
});

Deno.test("sample() near temperature 0 takes the most probable", () => {
  fc.assert(fc.property(anyLogits, (logits) => {
    const options = { temperature: 1e-300, topK: 0, topP: 1 };
    const token = sample(logits, options, () => 0.999);
    strictEqual(logits[token], logits[argmax(logits)]);
  }));
});

Deno.test("draw() assigns each token its share of [0, 1)", () => {
  const thirds = {
    tokens: Int32Array.of(4, 6, 9),
    probabilities: Float64Array.of(0.25, 0.5, 0.25),
  };
  deepStrictEqual(
    [0, 0.2499, 0.25, 0.7499, 0.75, 0.9999].map((u) => draw(thirds, u)),
    [4, 4, 6, 6, 9, 9],
  );
});

Deno.test("draw() never returns a token of no probability, even if rounding leaves the sum below one", () => {
  const short = {
    tokens: Int32Array.of(1, 2, 3, 4),
    probabilities: Float64Array.of(0, 0.5, 0.5 - 2 ** -52, 0),
  };
  strictEqual(draw(short, 0), 2);
  strictEqual(draw(short, 1 - 2 ** -53), 3);
});

for (
  const [what, logits] of [
    ["NaN first", Float32Array.of(NaN, 1, 2)],
    ["NaN later", Float32Array.of(1, NaN, 2)],
    ["nothing but −∞", Float32Array.of(-Infinity, -Infinity, -Infinity)],
    ["+∞", Float32Array.of(1, Infinity, 2)],
  ] as const
) {
  Deno.test(`sample() refuses logits with ${what}`, () => {
    for (
      const [temperature, topK] of [[0, 0], [1, 0], [1, 1], [1, 2]] as const
    ) {
      const options = { temperature, topK, topP: 1 };
      throws(() => sample(logits, options, () => 0), RangeError);
    }
  });
}

/** Returns the logits of the codes in a setting. */
function guided({ step, guidance }: Setting): Float32Array {
  const codes = (branch: string) =>
    float32(tensors, `step${step}.${branch}`)
      .slice(firstCode, firstCode + codebookSize);
  const logits = codes("cond");
  guide(logits, codes("uncond"), guidance);
  return logits;
}
