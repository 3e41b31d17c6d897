/**
 * The execution provider, on which graphs run, as a value.
 *
 * Other modules read from a provider how a session is configured for it, in
 * which type it computes, where state that outlives a run (keys and values) is
 * kept, and which operators it has. They never depend on its name.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";

/** The name of a provider in `DEVICE` and `/v1/models`. */
export type DeviceName = "cpu" | "cuda" | "webgpu";

/** A type in which a language model may compute. */
export type ComputeDtype = Extract<Dtype, "float32" | "float16" | "bfloat16">;

/** The registration of a provider with ONNX Runtime. */
export interface Registration {
  /** The function that registers it: CUDA has one of its own. */
  readonly entry: "cuda" | "generic";
  /** Name of the provider in ONNX Runtime. */
  readonly name: string;
  /** Options of the provider, by ONNX Runtime's names. */
  readonly options: Readonly<Record<string, string>>;
}

/** An execution provider of ONNX Runtime. */
export interface Provider {
  /** Name in `DEVICE` and `/v1/models`. */
  readonly name: DeviceName;
  /** Registration; undefined for the provider that needs none. */
  readonly registration: Registration | undefined;
  /** Type of a language model's weights and activations while computing. */
  readonly computeDtype: ComputeDtype;
  /** Types that keys and values may have, the preferred one first. */
  readonly cacheDtypes: readonly ComputeDtype[];
  /** Name of its memory in ONNX Runtime; undefined for host memory. */
  readonly deviceMemory: string | undefined;
  /** Arenas of memory that can be shrunk, in the format of run options. */
  readonly arenas: string;
  /** True if attention takes a bias, so that tokens may have any positions. */
  readonly takesAttentionBias: boolean;
  /** The maximum number of rows of one run. */
  readonly maxRows: number;
  /** The maximum number of tokens of a row that attention takes at once. */
  readonly maxTokens: number;
  /** True if activations are rounded to int8 for quantized weights. */
  readonly int8Activations: boolean;
  /** True if convolutions and their neighbors run there; else on the CPU. */
  readonly convolves: boolean;
  /** True if matrices are multiplied as `[in, out]`, not as they are stored. */
  readonly transposed: boolean;
}

/**
 * The CPU: every core of the machine, in fp32, since half floats have no fast
 * kernels there and bf16 has none at all. Codes of 8 bits have a kernel for
 * int8 activations only, and those of 4 bits a much faster one.
 */
export const CPU_PROVIDER: Provider = {
  name: "cpu",
  registration: undefined,
  computeDtype: "float32",
  cacheDtypes: ["float32", "float16"],
  deviceMemory: undefined,
  arenas: "cpu:0",
  takesAttentionBias: true,
  maxRows: Infinity,
  maxTokens: Infinity,
  int8Activations: true,
  convolves: true,
  transposed: false,
};

/** Options of a CUDA session. */
export interface CudaOptions {
  /** Index of the GPU among those that CUDA may use. */
  readonly deviceId: number;
  /** The maximum number of bytes of an arena; undefined for no limit. */
  readonly memoryLimitBytes: number | undefined;
}

/**
 * Returns the provider of an NVIDIA GPU. Attention has half-float kernels only
 * there, and takes no bias.
 *
 * Arenas grow by the requested amount: doubling would take twice the size of a
 * checkpoint. TF32 keeps 10 bits of a number, and codes of pictures depend on
 * more. Convolutions are chosen by rule: trying all of them for every size of
 * picture takes seconds.
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
    takesAttentionBias: false,
    maxRows: Infinity,
    maxTokens: Infinity,
    int8Activations: false,
    convolves: true,
    transposed: false,
  };
}

/**
 * Returns the provider of any GPU that Vulkan, Metal or Direct3D reach. It has
 * no kernels for bf16, nor for a product with a matrix as it is stored; and its
 * attention over 32 tokens and more, and its convolutions, are wrong on some
 * devices, as in software. A shader may have as few as 8 buffers, one of them
 * for each row.
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
    takesAttentionBias: true,
    maxRows: 4,
    maxTokens: 31,
    int8Activations: false,
    convolves: false,
    transposed: true,
  };
}
