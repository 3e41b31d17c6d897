import { deepStrictEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { quantizeRows } from "../../../lib/quantization/quantize_rows.ts";
import { dequantize } from "../../support/dequantize.ts";

const bits = fc.constantFrom(4 as const, 8 as const);
const weight = fc.integer({ min: -1000, max: 1000 }).map((x) => x / 250);
const block = fc.array(weight, { minLength: 32, maxLength: 32 });

function squaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
}

/** Rounds with the scale that takes the greatest magnitude to the last code. */
function plainlyRounded(values: readonly number[], bits: number): number[] {
  const most = 2 ** (bits - 1) - 1;
  const scale = Math.max(...values.map(Math.abs)) / most;
  return values.map((x) => scale === 0 ? 0 : Math.round(x / scale) * scale);
}

Deno.test("quantizeRows() leaves no more error than plain rounding, and 4 bits rarely as much", () => {
  let better = 0;
  fc.assert(fc.property(block, (values) => {
    const options = { bits: 4, blockSize: 32 } as const;
    const { codes, scales } = quantizeRows(Float32Array.from(values), options);
    const ours = squaredError(dequantize(codes, scales, 4), values);
    const plain = squaredError(plainlyRounded(values, 4), values);
    // One of the ranges is close to the plain one, not equal to it.
    ok(ours <= plain * 1.05 + 1e-9, `${ours} > ${plain}`);
    if (ours < plain * 0.95) better++;
  }));
  ok(better > 50, `only ${better} of 100 are better`);
});

Deno.test("quantizeRows() of 8 bits errs by a step and a half at most", () => {
  fc.assert(fc.property(block, (values) => {
    const options = { bits: 8, blockSize: 32 } as const;
    const { codes, scales } = quantizeRows(Float32Array.from(values), options);
    const back = dequantize(codes, scales, 8);
    const greatest = Math.max(...values.map(Math.abs));
    for (const [i, x] of values.entries()) {
      // The counterpart of the extreme is clipped by a step; the least-squares
      // scale spreads that, and moves others by half a step.
      const step = greatest / 127;
      ok(Math.abs(back[i]! - x) <= 1.5 * step + 1e-6, `${x}`);
    }
  }));
});

Deno.test("quantizeRows() restores values made of codes, for any block", () => {
  const code = fc.integer({ min: -7, max: 7 });
  const codes = fc.array(code, { minLength: 31, maxLength: 31 });
  fc.assert(
    fc.property(
      codes,
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (codes, s) => {
        const scale = Math.fround(s);
        const values = Float32Array.from([-8, ...codes], (q) => q * scale);
        const { codes: made, scales } = quantizeRows(values, {
          bits: 4,
          blockSize: 32,
        });
        const error = squaredError(dequantize(made, scales, 4), values);
        ok(error < 1e-9 * scale * scale, `${error}`);
      },
    ),
  );
});

Deno.test("quantizeRows() puts the first of two codes into the low half", () => {
  const values = Float32Array.of(-8, 7, 0, 1, ...new Array(12).fill(0));
  const { codes, scales } = quantizeRows(values, { bits: 4, blockSize: 16 });
  deepStrictEqual([...codes.subarray(0, 3)], [0xf0, 0x98, 0x88]);
  deepStrictEqual([...scales], [1]);
});

Deno.test("quantizeRows() keeps zeros", () => {
  fc.assert(fc.property(bits, (bits) => {
    const { codes, scales } = quantizeRows(new Float32Array(32), {
      bits,
      blockSize: 32,
    });
    deepStrictEqual(
      dequantize(codes, scales, bits).map(Math.abs),
      new Float32Array(32),
    );
  }));
});

Deno.test("quantizeRows() refuses values that are not finite", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const values = new Float32Array(32);
    values[17] = value;
    throws(
      () => quantizeRows(values, { bits: 4, blockSize: 32 }),
      /it is not finite/,
    );
  }
});
