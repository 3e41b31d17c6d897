import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  kronecker,
  type Matrix,
  matrixProduct,
  toomCook,
} from "../../models/vision/toom_cook.ts";

const value = fc.double({ min: -1, max: 1, noNaN: true });

function vector(length: number): fc.Arbitrary<number[]> {
  return fc.array(value, { minLength: length, maxLength: length });
}

function times(matrix: Matrix, column: readonly number[]): number[] {
  return matrixProduct(matrix, column.map((entry) => [entry])).flat();
}

for (
  const [outputs, taps, points] of [
    [2, 3, [0, 1, -1]],
    [4, 3, [0, Math.SQRT1_2, -Math.SQRT1_2, Math.SQRT2, -Math.SQRT2]],
    [4, 2, [0.4, -0.4, 1.2, -1.2]],
    [3, 3, [0, 1, -1, 2]],
  ] as const
) {
  Deno.test(`toomCook(${outputs}, ${taps}) computes the outputs of every filter`, () => {
    const maps = toomCook(outputs, taps, points);
    const cases = fc.tuple(vector(outputs + taps - 1), vector(taps));
    fc.assert(fc.property(cases, ([inputs, filter]) => {
      const transformed = times(maps.filter, filter);
      const products = times(maps.input, inputs)
        .map((input, i) => input * transformed[i]!);
      const actual = times(maps.output, products);
      const expected = actual.map((_, i) =>
        filter.reduce((sum, tap, j) => sum + tap * inputs[i + j]!, 0)
      );
      actual.forEach((y, i) => ok(Math.abs(y - expected[i]!) < 1e-12));
    }));
  });
}

Deno.test("kronecker() nests the second matrix in the first, row after row", () => {
  deepStrictEqual(
    [...kronecker([[1, 2]], [[3, 4], [5, 6]])],
    [3, 4, 6, 8, 5, 6, 10, 12],
  );
});

Deno.test("matrixProduct() multiplies rows by columns", () => {
  deepStrictEqual(matrixProduct([[1, 2], [3, 4]], [[5], [6]]), [[17], [39]]);
});
