import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { kthLargest } from "../../../lib/sampling/kth_largest.ts";

/** Few different values, so that ties are common; both zeros among them. */
const tied = fc.constantFrom(-Infinity, -2.5, -0, 0, 1e-40, 3, 3.0000002, 9);
const anyFloat = fc.float({ noNaN: true });
const anyValue = fc.oneof(tied, anyFloat);

Deno.test("kthLargest() is the k-th of the sorted values, ties and infinities included", () => {
  const values = fc.array(anyValue, { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.nat(), (numbers, any) => {
      const floats = Float32Array.from(numbers);
      const k = 1 + any % floats.length;
      // Equal under ===: the two zeros are not distinguished.
      const expected = floats.toSorted().at(-k)!;
      strictEqual(kthLargest(floats, k) === expected, true);
    }),
    { numRuns: 300 },
  );
});

Deno.test("kthLargest() reads a part of an array, and leaves it unchanged", () => {
  const whole = Float32Array.of(100, 5, -7, 6, 200);
  strictEqual(kthLargest(whole.subarray(1, 4), 1), 6);
  strictEqual(kthLargest(whole.subarray(1, 4), 3), -7);
  strictEqual(whole.join(), "100,5,-7,6,200");
});

Deno.test("kthLargest() keeps no state between calls", () => {
  const many = Float32Array.from({ length: 5000 }, (_, i) => i / 7);
  strictEqual(kthLargest(many, 1), many.at(-1));
  strictEqual(kthLargest(Float32Array.of(-3), 1), -3);
});
