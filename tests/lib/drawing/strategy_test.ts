import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { CPU_PROVIDER, cudaProvider } from "../../../lib/runtime/provider.ts";
import { deviceStrategies } from "../../../lib/drawing/device_strategies.ts";
import {
  fastestStrategy,
  isLossless,
  jacobiWindow,
  STRATEGY_NAMES,
  strategyOf,
} from "../../../lib/drawing/strategy.ts";

const CUDA = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
const CHOSEN = { strategy: undefined, cacheDtype: undefined };

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
  const choice = (codeBits: 4 | 8 | undefined) => {
    const { strategy, window } = deviceStrategies(CUDA, codeBits, CHOSEN);
    return strategy === "jacobi" ? window : strategy;
  };
  deepStrictEqual([undefined, 8 as const, 4 as const].map(choice), [
    8,
    "autoregressive",
    7,
  ]);
});

Deno.test("Rows are drawn ahead over any KV cache but one in int8 on CUDA", () => {
  const over = (
    provider: typeof CUDA,
    cacheDtype: "int8" | "float16" | undefined,
  ) =>
    deviceStrategies(provider, undefined, { ...CHOSEN, cacheDtype }).strategies;
  deepStrictEqual(over(CUDA, undefined), [...STRATEGY_NAMES]);
  deepStrictEqual(over(CUDA, "float16"), [...STRATEGY_NAMES]);
  deepStrictEqual(over(CUDA, "int8"), ["autoregressive", "jacobi"]);
  deepStrictEqual(over(CPU_PROVIDER, "int8"), [...STRATEGY_NAMES]);
  throws(
    () => deviceStrategies(CUDA, 4, { strategy: "zipar", cacheDtype: "int8" }),
    /by zipar over a KV cache in int8 on cuda: unset STRATEGY or KV_PRECISION/,
  );
});
