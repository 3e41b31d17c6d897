import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { scoreToken } from "../../../lib/sampling/log_probabilities.ts";

const logit = fc.oneof(
  fc.float({ min: -40, max: 40, noNaN: true }),
  fc.constantFrom(0, 1, -Infinity),
);
const logits = fc.array(logit, { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from([...values, 0.5]));

Deno.test("scoreToken() is log-softmax and its entropy", () => {
  fc.assert(fc.property(logits, fc.nat(), (logits, any) => {
    const choice = any % logits.length;
    const weights = Array.from(logits, Math.exp);
    const sum = weights.reduce((sum, weight) => sum + weight);
    const p = weights.map((weight) => weight / sum);
    const entropy = -p.reduce(
      (sum, p) => sum + (p === 0 ? 0 : p * Math.log(p)),
      0,
    );
    const scored = scoreToken(logits, choice, 0);
    close(scored.logprob, Math.log(p[choice]!));
    close(scored.entropy, entropy);
    deepStrictEqual(scored.strongest, []);
  }));
});

Deno.test("scoreToken() lists the most probable, in order, the lower first on ties", () => {
  fc.assert(fc.property(logits, fc.integer({ min: 1, max: 9 }), (logits, n) => {
    const sorted = [...logits.keys()].sort((a, b) =>
      logits[a] === logits[b] ? a - b : logits[b]! - logits[a]!
    );
    const { strongest } = scoreToken(logits, 0, n);
    deepStrictEqual(strongest.map(({ code }) => code), sorted.slice(0, n));
    for (const { code, logprob } of strongest) {
      close(logprob, scoreToken(logits, code, 0).logprob);
    }
  }));
});

Deno.test("scoreToken() does not overflow where the exponential would", () => {
  const { logprob, entropy } = scoreToken(
    Float32Array.of(5000, 5000, -5000),
    0,
    0,
  );
  close(logprob, -Math.LN2);
  close(entropy, Math.LN2);
});

function close(actual: number, expected: number): void {
  const fits = actual === expected || Math.abs(actual - expected) < 1e-9;
  ok(fits, `${actual} is not ${expected}`);
}
