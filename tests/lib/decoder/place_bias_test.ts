import { deepStrictEqual, throws } from "node:assert/strict";
import { placeBias } from "../../../lib/decoder/place_bias.ts";

/** Three held tokens, of which the last stands behind the new ones. */
const PLACES = Int32Array.of(0, 1, 5, 2, 3);

Deno.test("placeBias() hides what stands behind a token", () => {
  const bias = placeBias(PLACES, 3, "float32");
  deepStrictEqual(
    [...bias].map((value) => value === 0),
    [
      ...[true, true, false, true, false],
      ...[true, true, false, true, true],
    ],
  );
  const half = placeBias(PLACES, 3, "float16");
  deepStrictEqual(
    [...new Float16Array(half.buffer)],
    [...bias].map((value) => Math.f16round(value)),
  );
});

Deno.test("placeBias() refuses places that do not ascend, and bf16", () => {
  throws(() => placeBias(Int32Array.of(0, 2, 1), 1, "float32"), RangeError);
  throws(() => placeBias(PLACES, 3, "bfloat16"), TypeError);
});
