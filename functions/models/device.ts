/**
 * The device that a server's models run on, chosen by its options.
 *
 * @module
 */

import { RuntimeError } from "../../lib/errors.ts";
import { libraryIn } from "../../lib/runtime/library.ts";
import { openRuntime } from "../../lib/runtime/open_runtime.ts";
import {
  CPU_PROVIDER,
  type CudaAttention,
  cudaProvider,
  type DeviceName,
  type Provider,
  webgpuProvider,
} from "../../lib/runtime/provider.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { computeDtypeOf, type Precision } from "./precision.ts";

/** Options that choose a device. */
export interface DeviceOptions {
  /** Threads that compute. */
  readonly threads: number;
  /** Device that models run on; `auto` for the best one available. */
  readonly device: DeviceName | "auto";
  /** Bytes of the device's memory to use; undefined for all that is free. */
  readonly deviceMemoryBytes: number | undefined;
  /** The preferred kernel of attention on CUDA; flash by default. */
  readonly cudaAttention?: CudaAttention | undefined;
  /** Folder of another ONNX Runtime than the npm package's. */
  readonly runtimeFolder: string | undefined;
  /** Format of the language models' weights; undefined for the stored one. */
  readonly precision: Precision | undefined;
  /** Called with a notice about a slow start or a device that is not used. */
  readonly warn: (line: string) => void;
}

/**
 * Opens a runtime on the requested device.
 *
 * @throws {RuntimeError} If the device cannot be used.
 */
export async function openDevice(options: DeviceOptions): Promise<Runtime> {
  const { runtimeFolder, precision } = options;
  const library = runtimeFolder === undefined
    ? undefined
    : libraryIn(runtimeFolder, await filesIn(runtimeFolder));
  return await openRuntime({
    ...options,
    computeDtype: computeDtypeOf(precision),
    library,
  });
}

/** Returns the provider expected before a device is tried; auto is the CPU. */
export function expectedProvider(
  { device, precision }: Pick<DeviceOptions, "device" | "precision">,
): Provider {
  switch (device) {
    case "auto":
    case "cpu":
      return CPU_PROVIDER;
    case "cuda":
      return cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
    case "webgpu":
      return webgpuProvider(precision === "fp16" ? "float16" : "float32");
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name);
  } catch (cause) {
    throw new RuntimeError(
      `Cannot find ONNX Runtime in "${folder}": the folder is not readable; set ONNXRUNTIME_DIR to a folder with its libraries`,
      { cause },
    );
  }
}
