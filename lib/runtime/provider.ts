/**
 * Where graphs run, as a value.
 *
 * The rest of the program asks a provider how a session is configured for it,
 * in which type it computes, where state that outlives a run (keys and values)
 * is kept, and what its operators can do. It never asks for its name.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";

/** What `DEVICE` and `/v1/models` call a provider. */
export type DeviceName = "cpu" | "cuda" | "webgpu";

/** Type in which a language model may compute. */
export type ComputeDtype = Extract<Dtype, "float32" | "float16" | "bfloat16">;

/** How ONNX Runtime is told of a provider, where it is to be told. */
export interface Registration {
  /** Which of ONNX Runtime's ways in: CUDA has one of its own. */
  readonly entry: "cuda" | "generic";
  /** Its name there. */
  readonly name: string;
  /** Its options, by ONNX Runtime's names. */
  readonly options: Readonly<Record<string, string>>;
}

/** An execution provider of ONNX Runtime. */
export interface Provider {
  /** What `DEVICE` and `/v1/models` call it. */
  readonly name: DeviceName;
  /** Undefined where it is there anyway. */
  readonly registration: Registration | undefined;
  /** Type of a language model's weights and activations while computing. */
  readonly computeDtype: ComputeDtype;
  /** Types that keys and values may have, the one for most uses first. */
  readonly cacheDtypes: readonly ComputeDtype[];
  /** Name of its memory in ONNX Runtime; undefined where host memory is used. */
  readonly deviceMemory: string | undefined;
  /** Arenas of memory that can be shrunk, as run options name them. */
  readonly arenas: string;
  /** Whether attention takes a bias, so that tokens may stand anywhere. */
  readonly placesTokens: boolean;
  /** Rows that one run takes. */
  readonly maxRows: number;
  /** Tokens of a row that attention takes at once. */
  readonly maxTokens: number;
  /** Whether activations are rounded to int8 for weights in few bits. */
  readonly int8Activations: boolean;
  /** Whether convolutions and what goes with them run there; else on the CPU. */
  readonly convolves: boolean;
  /** Whether matrices are multiplied as `[in, out]`, not as they are stored. */
  readonly transposed: boolean;
}

/**
 * Every core of this machine, in fp32: half floats have no fast kernels there
 * and bf16 has none at all. Codes of 8 bits have a kernel for int8 activations
 * only, and those of 4 bits a much faster one.
 */
export const CPU_PROVIDER: Provider = {
  name: "cpu",
  registration: undefined,
  computeDtype: "float32",
  cacheDtypes: ["float32", "float16"],
  deviceMemory: undefined,
  arenas: "cpu:0",
  placesTokens: true,
  maxRows: Infinity,
  maxTokens: Infinity,
  int8Activations: true,
  convolves: true,
  transposed: false,
};

/** What a CUDA session is told. */
export interface CudaOptions {
  /** Which GPU, as CUDA counts those that it may see. */
  readonly deviceId: number;
  /** Bytes that an arena may have; undefined for no limit. */
  readonly memoryLimitBytes: number | undefined;
}

/**
 * An NVIDIA GPU. Attention has half-float kernels only there, and takes no bias.
 *
 * Arenas grow by what is asked: doubling would take twice what a checkpoint
 * has. TF32 keeps 10 bits of a number, and codes of pictures depend on more.
 * Convolutions are chosen by rule: trying all of them for every size of picture
 * takes seconds.
 */
export function cudaProvider(
  { deviceId, memoryLimitBytes }: CudaOptions,
): Provider {
  return {
    name: "cuda",
    registration: {
      entry: "cuda",
      name: "CUDA",
      options: {
        "device_id": String(deviceId),
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0",
        ...(memoryLimitBytes !== undefined &&
          { "gpu_mem_limit": String(memoryLimitBytes) }),
      },
    },
    computeDtype: "bfloat16",
    cacheDtypes: ["bfloat16", "float16"],
    deviceMemory: "Cuda",
    arenas: "cpu:0;gpu:0",
    placesTokens: false,
    maxRows: Infinity,
    maxTokens: Infinity,
    int8Activations: false,
    convolves: true,
    transposed: false,
  };
}

/**
 * Any GPU that Vulkan, Metal or Direct3D reach. It has no kernels for bf16, nor
 * for a product with a matrix as it is stored; and what it has for attention over
 * 32 tokens and more, and for convolutions, is wrong on some devices, as in
 * software. A shader may have as few as 8 buffers, one of them for each row.
 */
export function webgpuProvider(
  computeDtype: Extract<ComputeDtype, "float32" | "float16">,
): Provider {
  return {
    name: "webgpu",
    registration: { entry: "generic", name: "WebGPU", options: {} },
    computeDtype,
    cacheDtypes: computeDtype === "float32"
      ? ["float32", "float16"]
      : ["float16"],
    deviceMemory: "WebGPU_Buf",
    arenas: "cpu:0",
    placesTokens: true,
    maxRows: 4,
    maxTokens: 31,
    int8Activations: false,
    convolves: false,
    transposed: true,
  };
}
