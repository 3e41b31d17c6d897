import { strictEqual, throws } from "node:assert/strict";
import { cacheSize } from "../../../lib/engine/cache_size.ts";
import {
  CPU_PROVIDER,
  cudaProvider,
  webgpuProvider,
} from "../../../lib/runtime/provider.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";

/** The published model: 32 layers of 8 heads of 128 numbers, twice. */
const config = parseLanguageConfig({});
const TOKEN_NUMBERS = 2 * 32 * 8 * 128;
const cuda = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
const slots = 4;

Deno.test("cacheSize() keeps keys and values in the device's own type", () => {
  const cacheBytes = 20e9;
  const size = cacheSize(config, cuda, { cacheBytes, slots });
  strictEqual(size.dtype, "bfloat16");
  strictEqual(size.tokenBytes, 2 * TOKEN_NUMBERS);
  strictEqual(size.positions, config.maxPositions);
});

Deno.test("cacheSize() chooses half floats if one picture would fill most of the memory", () => {
  const guided = 2 * config.maxPositions * 4 * TOKEN_NUMBERS;
  const dtype = (cacheBytes: number) =>
    cacheSize(config, CPU_PROVIDER, { cacheBytes, slots }).dtype;
  strictEqual(dtype(2 * guided), "float32");
  strictEqual(dtype(2 * guided - 1), "float16");
  // A GPU has no smaller type.
  strictEqual(
    cacheSize(config, cuda, { cacheBytes: guided / 4, slots }).dtype,
    "bfloat16",
  );
});

Deno.test("cacheSize() leaves a device room for the last blocks of its slots", () => {
  const cacheBytes = 2 ** 34;
  const held = cacheBytes / (4 * TOKEN_NUMBERS);
  const cacheDtype = "float32" as const;
  const tokens = (provider: typeof CPU_PROVIDER) =>
    cacheSize(config, provider, { cacheBytes, cacheDtype, slots }).tokens;
  strictEqual(tokens(CPU_PROVIDER), held);
  strictEqual(tokens(webgpuProvider("float32")), held - 5 * 256);
});

Deno.test("cacheSize() refuses too little memory, and names the amount needed", () => {
  const options = { cacheBytes: 2 ** 17, slots };
  throws(() => cacheSize(config, CPU_PROVIDER, options), (error) => {
    const [, least] = /set KV_BYTES to (\d+) or more/.exec(String(error))!;
    const cacheBytes = Number(least);
    strictEqual(
      cacheSize(config, CPU_PROVIDER, { ...options, cacheBytes }).tokens,
      2,
    );
    return error instanceof RangeError;
  });
});

Deno.test("cacheSize() uses int8 on request only, in a quarter of the bytes, and not on WebGPU", () => {
  const options = { cacheBytes: 2 ** 30, slots, cacheDtype: "int8" } as const;
  const size = cacheSize(config, CPU_PROVIDER, options);
  strictEqual(size.dtype, "int8");
  strictEqual(size.tokenBytes, TOKEN_NUMBERS);
  strictEqual(cacheSize(config, cuda, options).tokenBytes, TOKEN_NUMBERS);
  throws(
    () => cacheSize(config, webgpuProvider("float32"), options),
    /Cannot use a KV cache in int8 on webgpu: .*; unset KV_PRECISION/,
  );
});

Deno.test("cacheSize() refuses a type in which the device does not attend", () => {
  const options = {
    cacheBytes: 2 ** 34,
    slots,
    cacheDtype: "float32",
  } as const;
  throws(
    () => cacheSize(config, cuda, options),
    /in fp32 on cuda: supported formats are bf16, fp16, or int8; unset KV_PRECISION/,
  );
});
