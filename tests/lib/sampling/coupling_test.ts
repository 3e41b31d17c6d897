import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Chance } from "../../../lib/sampling/chance.ts";
import {
  probabilityOf,
  resample,
  residual,
} from "../../../lib/sampling/coupling.ts";
import type { Distribution } from "../../../lib/sampling/sampler.ts";
import {
  distributionDifference,
  distributionOfDraws,
} from "../../support/enumerate.ts";

/** Sparse distributions, with zeros. */
const anyDistribution: fc.Arbitrary<Distribution> = fc.array(
  fc.record({ gap: fc.nat(2), weight: fc.nat(5) }),
  { minLength: 1, maxLength: 6 },
).filter((parts) => parts.some(({ weight }) => weight > 0)).map((parts) => {
  const sum = parts.reduce((sum, { weight }) => sum + weight, 0);
  let token = -1;
  return {
    tokens: Int32Array.from(parts, ({ gap }) => token += gap + 1),
    probabilities: Float64Array.from(parts, ({ weight }) => weight / sum),
  };
});

/** Draws from `q`, then again from `p`. */
function drawnTwice(q: Distribution, p: Distribution) {
  return (chance: Chance): [number, number] => {
    const token = chance.pick(q);
    return [token, resample({ token, distribution: q }, p, chance)];
  };
}

Deno.test("resample() has the given distribution, whatever the last outcome was drawn from", () => {
  fc.assert(fc.property(anyDistribution, anyDistribution, (q, p) => {
    const distribution = distributionOfDraws((chance) =>
      `${drawnTwice(q, p)(chance)[1]}`
    );
    const expected = distributionOfDraws((chance) => `${chance.pick(p)}`);
    ok(distributionDifference(distribution, expected) < 1e-12);
  }));
});

Deno.test("resample() changes the outcome as rarely as the two distributions differ", () => {
  fc.assert(fc.property(anyDistribution, anyDistribution, (q, p) => {
    const twice = drawnTwice(q, p);
    const distribution = distributionOfDraws((chance) => {
      const [before, after] = twice(chance);
      return before === after ? "kept" : "changed";
    });
    let common = 0;
    for (const token of new Set([...p.tokens, ...q.tokens])) {
      common += Math.min(probabilityOf(p, token), probabilityOf(q, token));
    }
    ok(Math.abs((distribution.get("kept") ?? 0) - common) < 1e-12);
  }));
});

Deno.test("resample() keeps an outcome whose distribution did not change, without a random number", () => {
  const refuse: Chance = {
    accept: () => {
      throw new Error("no random number may be used");
    },
    pick: () => {
      throw new Error("no random number may be used");
    },
  };
  fc.assert(fc.property(anyDistribution, (distribution) => {
    for (const [i, token] of distribution.tokens.entries()) {
      if (distribution.probabilities[i] === 0) continue;
      strictEqual(
        resample({ token, distribution }, distribution, refuse),
        token,
      );
    }
  }));
});

Deno.test("resample() keeps the outcome if distributions differ by rounding alone", () => {
  const tokens = Int32Array.of(1, 2);
  const before = { tokens, probabilities: Float64Array.of(0.5, 0.5) };
  const hairLess = { tokens, probabilities: Float64Array.of(0.5 - 1e-16, 0.5) };
  const reject: Chance = { accept: () => false, pick: () => 9 };
  strictEqual(
    resample({ token: 1, distribution: before }, hairLess, reject),
    1,
  );
});

Deno.test("residual() is the part of one distribution above another, and sums to one", () => {
  fc.assert(fc.property(anyDistribution, anyDistribution, (p, q) => {
    const rest = residual(p, q);
    if (rest === undefined) return;
    const sum = rest.probabilities.reduce((sum, value) => sum + value);
    ok(Math.abs(sum - 1) < 1e-12);
    for (const token of p.tokens) {
      const more = probabilityOf(p, token) > probabilityOf(q, token);
      strictEqual(probabilityOf(rest, token) > 0, more);
    }
  }));
});

Deno.test("probabilityOf() returns the token's probability, and 0 for an absent one", () => {
  fc.assert(
    fc.property(
      anyDistribution,
      fc.integer({ min: -2, max: 20 }),
      (distribution, any) => {
        const at = distribution.tokens.indexOf(any);
        strictEqual(
          probabilityOf(distribution, any),
          at === -1 ? 0 : distribution.probabilities[at],
        );
      },
    ),
  );
});
