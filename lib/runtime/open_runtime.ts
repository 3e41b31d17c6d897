/**
 * The choice of a device: opens a runtime on the requested or the best
 * available one.
 *
 * ```text
 * auto     an NVIDIA GPU with its driver and ONNX Runtime's CUDA provider,
 *          else the CPU
 * cuda     that GPU, or an error that names the missing part
 * webgpu   any GPU with Vulkan, Metal or Direct3D; only if requested, since
 *          it is experimental in ONNX Runtime
 * cpu      the CPU
 * ```
 *
 * @module
 */

import { dirname, join } from "node:path";
import { RuntimeError } from "../errors.ts";
import { weightlessGraph } from "../../models/graph/weightless.ts";
import type { DeviceMemory } from "./memory/device_memory.ts";
import { deviceProblem } from "./device_problem.ts";
import { gpuMemory } from "./memory/gpu_memory.ts";
import { libraryPath, loadProblem } from "./library.ts";
import {
  type ComputeDtype,
  CPU_PROVIDER,
  type CudaAttention,
  cudaProvider,
  type DeviceName,
  type Provider,
  webgpuProvider,
} from "./provider.ts";
import { Runtime } from "./runtime.ts";

/** Options of {@linkcode openRuntime}. */
export interface OpenRuntimeOptions {
  /** Number of threads that compute, 1 or more. */
  readonly threads: number;
  /** The device that graphs run on. */
  readonly device: DeviceName | "auto";
  /** Type in which language models compute; undefined for the device's own. */
  readonly computeDtype: ComputeDtype | undefined;
  /** File of ONNX Runtime's library; undefined for that of the npm package. */
  readonly library: string | undefined;
  /**
   * Bytes of the device's memory to use; undefined for the free memory reported
   * by its driver.
   */
  readonly deviceMemoryBytes: number | undefined;
  /** The preferred kernel of attention on CUDA; flash by default. */
  readonly cudaAttention?: CudaAttention | undefined;
  /** Called with the reason if `auto` does not use an existing GPU. */
  readonly warn: (line: string) => void;
}

/** The functions that examine an NVIDIA GPU. */
export interface GpuSystem {
  /** Returns the free memory in bytes; undefined without a driver or a GPU. */
  readonly freeBytes: () => number | undefined;
  /** Returns the reason that a library cannot be loaded. */
  readonly loadProblem: (path: string) => string | undefined;
}

const THIS_SYSTEM: GpuSystem = {
  freeBytes: () => gpuMemory()?.freeBytes,
  loadProblem,
};

/** Files of ONNX Runtime's CUDA provider, in the order in which they load. */
const CUDA_FILES = [
  "libonnxruntime_providers_shared.so",
  "libonnxruntime_providers_cuda.so",
];

/**
 * Opens a runtime, and tests that the device computes.
 *
 * @throws {RuntimeError} If the device cannot be used, or does not compute in
 * the requested type; the message names a remedy.
 */
export async function openRuntime(
  options: OpenRuntimeOptions,
  system: GpuSystem = THIS_SYSTEM,
): Promise<Runtime> {
  const { device } = options;
  if (device !== "auto") return await openOn(device, options, system);
  if (system.freeBytes() === undefined) {
    return await openOn("cpu", options, system);
  }
  try {
    return await openOn("cuda", options, system);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    options.warn(`${error.message}; using the CPU instead`);
    return await openOn("cpu", options, system);
  }
}

/**
 * Returns the provider for `device`.
 *
 * @throws {RuntimeError} If it does not compute in `dtype`.
 */
export function providerOf(
  device: DeviceName,
  dtype: ComputeDtype | undefined,
  memoryLimitBytes: number | undefined,
  attention?: CudaAttention,
): Provider {
  switch (device) {
    case "cpu":
      if (dtype === undefined || dtype === "float32") return CPU_PROVIDER;
      break;
    case "cuda":
      if (dtype === undefined || dtype === "bfloat16") {
        return cudaProvider({ deviceId: 0, memoryLimitBytes, attention });
      }
      break;
    case "webgpu":
      if (dtype !== "bfloat16") return webgpuProvider(dtype ?? "float32");
      break;
    default:
      throw device satisfies never;
  }
  throw new RuntimeError(
    `Cannot use ${SHORT[dtype]} on ${device}: supported formats are ${
      OFFERED[device]
    }; unset PRECISION or set DEVICE`,
  );
}

/** The names of types in messages. */
const SHORT: Readonly<Record<ComputeDtype, string>> = {
  float32: "fp32",
  float16: "fp16",
  bfloat16: "bf16",
};

/** The precisions that each device supports. */
const OFFERED: Readonly<Record<DeviceName, string>> = {
  cpu: "fp32, int8 or int4",
  cuda: "bf16, int8 or int4",
  webgpu: "fp32, fp16, int8 or int4",
};

async function openOn(
  device: DeviceName,
  options: OpenRuntimeOptions,
  system: GpuSystem,
): Promise<Runtime> {
  const { threads, library, computeDtype, cudaAttention } = options;
  const known = device === "cuda" ? system.freeBytes() : undefined;
  const memory = device === "cpu"
    ? undefined
    : options.deviceMemoryBytes ?? known;
  const provider = providerOf(device, computeDtype, memory, cudaAttention);
  const runtime = await Runtime.open({
    threads,
    library,
    provider,
    deviceMemoryBytes: memory,
  });
  try {
    if (runtime.device !== undefined) await tryDevice(runtime, runtime.device);
    return runtime;
  } catch (cause) {
    await runtime[Symbol.asyncDispose]();
    if (!(cause instanceof RuntimeError)) throw cause;
    const message = cause.message.replace("ONNX Runtime: ", "").trim();
    const why = device === "cuda"
      ? missingCuda(library ?? libraryPath(), system) ?? message
      : message;
    throw new RuntimeError(deviceProblem(device, why), { cause });
  }
}

/**
 * Allocates memory and runs a convolution, which needs cuDNN on an NVIDIA GPU.
 */
async function tryDevice(
  runtime: Runtime,
  device: DeviceMemory,
): Promise<void> {
  const { computeDtype, convolves } = runtime.provider;
  using _ = await device.allocate([1, 1, 1, 1], computeDtype);
  if (!convolves) return;
  const options = { weightFolder: "/", prepack: false };
  await using session = await runtime.session(convolution(), options);
  using image = runtime.tensor(Float32Array.of(2), [1, 1, 1, 1]);
  using result = runtime.tensor(new Float32Array(1), [1, 1, 1, 1]);
  using binding = session.bind().input("x", image).output("y", result);
  await binding.run();
}

/** Returns the graph of `y = x`, by a convolution. */
function convolution(): Uint8Array<ArrayBuffer> {
  const g = weightlessGraph("convolution");
  const x = g.input("x", "float32", [1, 1, 1, 1]);
  const one = g.floats(Float32Array.of(1), [1, 1, 1, 1]);
  const y = g.apply("Conv", [x, one], { kernel_shape: [1, 1] });
  g.output("y", y, "float32", [1, 1, 1, 1]);
  return g.build().model;
}

/**
 * Returns the library that the CUDA provider lacks. Called only after ONNX
 * Runtime has failed to load the provider, since ONNX Runtime must load it
 * first.
 */
function missingCuda(library: string, system: GpuSystem): string | undefined {
  for (const file of CUDA_FILES) {
    const problem = system.loadProblem(join(dirname(library), file));
    if (problem !== undefined) return problem;
  }
  return undefined;
}
