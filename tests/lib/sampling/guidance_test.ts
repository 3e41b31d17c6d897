import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { guide } from "../../../lib/sampling/guidance.ts";

const logit = fc.float({ min: -50, max: 50, noNaN: true });
const pairs = fc.array(fc.tuple(logit, logit), { minLength: 1, maxLength: 40 });
const scale = fc.double({ min: 0, max: 10, noNaN: true });

Deno.test("guide() is u + scale × (c − u), and leaves u unchanged", () => {
  fc.assert(fc.property(pairs, scale, (pairs, scale) => {
    const c = Float32Array.from(pairs, ([c]) => c);
    const u = Float32Array.from(pairs, ([, u]) => u);
    const before = u.slice();
    const expected = c.map((c, i) => u[i]! + scale * (c - u[i]!));
    guide(c, u, scale);
    deepStrictEqual(c, expected);
    deepStrictEqual(u, before);
  }));
});

Deno.test("guide() equals the softmax of the reference, which guides log-softmaxes", () => {
  fc.assert(fc.property(pairs, scale, (pairs, scale) => {
    const c = Float32Array.from(pairs, ([c]) => c);
    const u = Float32Array.from(pairs, ([, u]) => u);
    const [lc, lu] = [logSoftmax(c), logSoftmax(u)];
    const reference = lc.map((c, i) => lu[i]! + scale * (c - lu[i]!));
    guide(c, u, scale);
    const [ours, theirs] = [logSoftmax(c), logSoftmax(reference)];
    for (const [i, value] of ours.entries()) {
      const difference = Math.abs(Math.exp(value) - Math.exp(theirs[i]!));
      // Logits of up to 1,000 in fp32.
      ok(difference < 2e-3, `${difference}`);
    }
  }));
});

function logSoftmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const peak = Math.max(...values);
  const sum = values.reduce((sum, value) => sum + Math.exp(value - peak), 0);
  return values.map((value) => value - peak - Math.log(sum));
}
