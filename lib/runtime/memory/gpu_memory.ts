/**
 * The memory of an NVIDIA GPU, as its driver reports it.
 *
 * Boundary file: calls the driver's library.
 *
 * Source: CUDA Driver API, `cuMemGetInfo` and the calls before it.
 *
 * @module
 */

/** The memory of a GPU. */
export interface GpuMemory {
  /** Bytes that are free. */
  readonly freeBytes: number;
  /** Bytes in all. */
  readonly totalBytes: number;
}

/** Functions of the driver, by the names in its library. */
export const DRIVER_SYMBOLS = {
  cuInit: { parameters: ["u32"], result: "i32" },
  cuDeviceGet: { parameters: ["buffer", "i32"], result: "i32" },
  cuDevicePrimaryCtxRetain: { parameters: ["buffer", "i32"], result: "i32" },
  cuDevicePrimaryCtxRelease_v2: { parameters: ["i32"], result: "i32" },
  cuCtxPushCurrent_v2: { parameters: ["u64"], result: "i32" },
  cuCtxPopCurrent_v2: { parameters: ["buffer"], result: "i32" },
  cuMemGetInfo_v2: { parameters: ["buffer", "buffer"], result: "i32" },
} as const;

/** The driver's functions; each returns 0 on success. */
export type Driver = {
  readonly [K in keyof typeof DRIVER_SYMBOLS]: (
    ...args: Deno.ToNativeParameterTypes<
      typeof DRIVER_SYMBOLS[K]["parameters"]
    >
  ) => number;
};

const SUCCESS = 0;

/** Opens the driver; returns undefined if there is none. */
function openDriver(): Driver | undefined {
  const name = Deno.build.os === "windows" ? "nvcuda.dll" : "libcuda.so.1";
  try {
    return Deno.dlopen(name, DRIVER_SYMBOLS).symbols;
  } catch {
    return undefined;
  }
}

/** Returns the memory of the first GPU; undefined without a driver or a GPU. */
export function gpuMemory(
  driver: Driver | undefined = openDriver(),
): GpuMemory | undefined {
  if (driver === undefined || driver.cuInit(0) !== SUCCESS) return undefined;
  const device = new Int32Array(1);
  if (driver.cuDeviceGet(device, 0) !== SUCCESS) return undefined;
  const context = new BigUint64Array(1);
  const retained = driver.cuDevicePrimaryCtxRetain(context, device[0]!);
  if (retained !== SUCCESS) return undefined;
  try {
    if (driver.cuCtxPushCurrent_v2(context[0]!) !== SUCCESS) return undefined;
    const free = new BigUint64Array(1);
    const total = new BigUint64Array(1);
    const status = driver.cuMemGetInfo_v2(free, total);
    driver.cuCtxPopCurrent_v2(context);
    return status === SUCCESS
      ? { freeBytes: Number(free[0]), totalBytes: Number(total[0]) }
      : undefined;
  } finally {
    driver.cuDevicePrimaryCtxRelease_v2(device[0]!);
  }
}
