import { deepStrictEqual, throws } from "node:assert/strict";
import { attentionBias } from "../../../lib/decoder/attention_bias.ts";

/** Position ids of three held tokens; the last is greater than the new ones. */
const PLACES = Int32Array.of(0, 1, 5, 2, 3);

Deno.test("attentionBias() masks tokens with a greater position id", () => {
  const bias = attentionBias(PLACES, 3, "float32");
  deepStrictEqual(
    [...bias].map((value) => value === 0),
    [
      ...[true, true, false, true, false],
      ...[true, true, false, true, true],
    ],
  );
  const half = attentionBias(PLACES, 3, "float16");
  deepStrictEqual(
    [...new Float16Array(half.buffer)],
    [...bias].map((value) => Math.f16round(value)),
  );
});

Deno.test("attentionBias() refuses position ids that do not ascend, and bf16", () => {
  throws(() => attentionBias(Int32Array.of(0, 2, 1), 1, "float32"), RangeError);
  throws(() => attentionBias(PLACES, 3, "bfloat16"), TypeError);
});
