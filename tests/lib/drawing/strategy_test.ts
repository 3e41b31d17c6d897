import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  fastestStrategy,
  isLossless,
  STRATEGY_NAMES,
  strategyOf,
} from "../../../lib/drawing/strategy.ts";

Deno.test("isLossless() holds for strategies with the distribution of autoregressive drawing", () => {
  deepStrictEqual(
    STRATEGY_NAMES.filter((name) => isLossless(strategyOf(name))),
    ["autoregressive", "jacobi"],
  );
});

Deno.test("fastestStrategy() is lossless for any weights", () => {
  for (const codeBits of [undefined, 8, 4]) {
    for (const onDevice of [false, true]) {
      const name = fastestStrategy(codeBits, onDevice);
      strictEqual(isLossless({ name }), true, `${codeBits} bits`);
    }
  }
  strictEqual(fastestStrategy(4, false), "autoregressive");
  strictEqual(fastestStrategy(4, true), "jacobi");
});
