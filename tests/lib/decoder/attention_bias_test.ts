import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { attentionBias } from "../../../lib/decoder/attention_bias.ts";

/** The bias of a masked token. */
const UNSEEN = -60_000;

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

Deno.test("attentionBias() in bf16 masks the same tokens", () => {
  const halves = attentionBias(PLACES, 3, "bfloat16") as Uint16Array;
  const values = new Float32Array(
    Uint32Array.from(halves, (half) => half << 16).buffer,
  );
  const expected = attentionBias(PLACES, 3, "float32");
  for (const [i, value] of values.entries()) {
    // bf16 has 8 bits of precision.
    ok(Math.abs(value - expected[i]!) <= -UNSEEN / 2 ** 8);
    strictEqual(value === 0, expected[i] === 0);
  }
});

Deno.test("attentionBias() refuses position ids that do not ascend", () => {
  throws(() => attentionBias(Int32Array.of(0, 2, 1), 1, "float32"), RangeError);
});
