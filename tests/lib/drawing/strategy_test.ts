import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { cudaProvider } from "../../../lib/runtime/provider.ts";
import {
  fastestStrategy,
  isLossless,
  jacobiWindow,
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

Deno.test("A guided window with the end of a row stays within the fused products", () => {
  for (let tokens = 6; tokens < 40; tokens++) {
    const window = jacobiWindow(tokens);
    ok(2 * (window + 1) <= tokens, `${tokens}`);
    ok(window > 1 && window <= jacobiWindow(Infinity));
  }
  strictEqual(jacobiWindow(5), jacobiWindow(Infinity));
});

Deno.test("Each device draws by windows that its kernels fuse, else code by code", () => {
  const cuda = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
  const choice = (codeBits: 4 | 8 | undefined) => {
    const fused = codeBits === undefined
      ? Infinity
      : cuda.fusedTokens[codeBits];
    const strategy = fastestStrategy(codeBits, true, fused);
    return strategy === "jacobi" ? jacobiWindow(fused) : strategy;
  };
  deepStrictEqual([undefined, 8 as const, 4 as const].map(choice), [
    8,
    "autoregressive",
    7,
  ]);
});
