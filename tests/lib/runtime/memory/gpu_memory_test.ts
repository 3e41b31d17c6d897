// deno-lint-ignore-file camelcase -- names of the driver
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type Driver,
  gpuMemory,
} from "../../../../lib/runtime/memory/gpu_memory.ts";

const INVALID = 1;

/** Writes to the memory behind an argument of a native function. */
function put(target: unknown, value: bigint): number {
  if (target instanceof BigUint64Array) target[0] = value;
  return 0;
}

/** Returns a driver with one GPU, which records its calls. */
function driver(changes: Partial<Driver> = {}) {
  const calls: string[] = [];
  const note = (name: string) => {
    calls.push(name);
    return 0;
  };
  const functions: Driver = {
    cuInit: () => note("init"),
    cuDeviceGet: () => note("get"),
    cuDevicePrimaryCtxRetain: (context) => {
      note("retain");
      return put(context, 7n);
    },
    cuDevicePrimaryCtxRelease_v2: () => note("release"),
    cuCtxPushCurrent_v2: (context) => note(`push ${context}`),
    cuCtxPopCurrent_v2: () => note("pop"),
    cuMemGetInfo_v2: (free, total) => {
      note("info");
      return put(free, 60_000_000_000n) + put(total, 80_000_000_000n);
    },
    ...changes,
  };
  return { functions, calls };
}

Deno.test("gpuMemory() calls the driver in a context, and releases it", () => {
  const { functions, calls } = driver();
  deepStrictEqual(gpuMemory(functions), { freeBytes: 60e9, totalBytes: 80e9 });
  deepStrictEqual(calls, [
    "init",
    "get",
    "retain",
    "push 7",
    "info",
    "pop",
    "release",
  ]);
});

for (
  const name of [
    "cuInit",
    "cuDeviceGet",
    "cuDevicePrimaryCtxRetain",
    "cuCtxPushCurrent_v2",
    "cuMemGetInfo_v2",
  ] as const
) {
  Deno.test(`gpuMemory() is undefined if ${name} fails, and releases its resources`, () => {
    const { functions, calls } = driver({ [name]: () => INVALID });
    strictEqual(gpuMemory(functions), undefined);
    const count = (what: string) =>
      calls.filter((call) => call === what).length;
    strictEqual(count("release"), count("retain"));
  });
}
