/**
 * Where a server's models run, from what it is told.
 *
 * @module
 */

import type { StrategyName } from "../../lib/drawing/strategy.ts";
import { RuntimeError } from "../../lib/errors.ts";
import { libraryIn } from "../../lib/runtime/library.ts";
import { openRuntime } from "../../lib/runtime/open_runtime.ts";
import {
  CPU_PROVIDER,
  cudaProvider,
  type DeviceName,
  type Provider,
  webgpuProvider,
} from "../../lib/runtime/provider.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { computeDtypeOf, type Precision } from "./precision.ts";

/** What a server is told. */
export interface DeviceOptions {
  /** Threads that compute. */
  readonly threads: number;
  /** Where models run. */
  readonly device: DeviceName | "auto";
  /** Bytes of a device's memory to use; undefined for what is free. */
  readonly deviceMemoryBytes: number | undefined;
  /** Folder of another ONNX Runtime than the npm package's. */
  readonly runtimeFolder: string | undefined;
  /** Format of the language models' weights; undefined for as they are. */
  readonly precision: Precision | undefined;
  /** In which way pictures are drawn; undefined for what is fastest. */
  readonly strategy: StrategyName | undefined;
  /** Told what takes long, or is not used, for a reason that can be removed. */
  readonly warn: (line: string) => void;
}

/**
 * Opens a runtime on the device that is asked for.
 *
 * @throws {RuntimeError} When it cannot be used, or not for what is asked.
 */
export async function openDevice(options: DeviceOptions): Promise<Runtime> {
  const { runtimeFolder, precision, strategy } = options;
  const library = runtimeFolder === undefined
    ? undefined
    : libraryIn(runtimeFolder, await filesIn(runtimeFolder));
  const runtime = await openRuntime({
    ...options,
    computeDtype: computeDtypeOf(precision),
    library,
  });
  try {
    assertDraws(runtime.provider, strategy);
    return runtime;
  } catch (error) {
    await runtime[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where models will run, before a device is tried; auto counts as the CPU. */
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

/** Ways of drawing that a device cannot. */
export function refusedStrategies(
  { placesTokens }: Pick<Provider, "placesTokens">,
): ReadonlySet<StrategyName> {
  return new Set(placesTokens ? [] : ["zipar"]);
}

/**
 * Refuses a default way of drawing that a device cannot.
 *
 * @throws {RuntimeError} Saying what would do.
 */
export function assertDraws(
  provider: Pick<Provider, "name" | "placesTokens">,
  strategy: StrategyName | undefined,
): void {
  if (strategy === undefined) return;
  if (!refusedStrategies(provider).has(strategy)) return;
  throw new RuntimeError(
    `Cannot draw with ${strategy} on ${provider.name}: its attention takes no bias, set STRATEGY=jacobi or DEVICE=cpu`,
  );
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name);
  } catch (cause) {
    throw new RuntimeError(
      `Cannot find ONNX Runtime in "${folder}": it cannot be read, set ONNXRUNTIME_DIR to a folder that holds it`,
      { cause },
    );
  }
}
