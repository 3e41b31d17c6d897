/**
 * The execution providers on which graphs run, as values.
 *
 * Other modules depend on the properties of a provider, never on its name: the
 * configuration of its sessions, its computing type, the location of state that
 * outlives a run (keys and values), and its operators.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import type { CodeBits } from "../../models/graph/weights.ts";

/** The name of a provider in `DEVICE` and `/v1/models`. */
export type DeviceName = "cpu" | "cuda" | "webgpu";

/** A type in which a language model may compute. */
export type ComputeDtype = Extract<Dtype, "float32" | "float16" | "bfloat16">;

/** Element types of a KV cache; int8 needs scales. */
export type CacheDtype = ComputeDtype | "int8";

/** The registration of a provider with ONNX Runtime. */
export interface Registration {
  /** The function that registers it; CUDA has a separate one. */
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
  /** Registration; undefined for the CPU, which needs none. */
  readonly registration: Registration | undefined;
  /** Type of a language model's weights and activations while computing. */
  readonly computeDtype: ComputeDtype;
  /** Types of floats that keys and values may have, the preferred one first. */
  readonly cacheDtypes: readonly ComputeDtype[];
  /** True if keys and values may be int8 on request. */
  readonly int8Cache: boolean;
  /** True if attention over them supports biases, as given positions need. */
  readonly int8CacheBias: boolean;
  /** Name of its memory in ONNX Runtime; undefined for host memory. */
  readonly deviceMemory: string | undefined;
  /** Arenas of memory that can be shrunk, in the format of run options. */
  readonly arenas: string;
  /** The maximum number of rows of one run. */
  readonly maxRows: number;
  /** The maximum number of tokens of a row in one run of attention. */
  readonly maxTokens: number;
  /** True if activations are rounded to int8 for quantized weights. */
  readonly int8Activations: boolean;
  /**
   * The maximum number of tokens of a run for which products with matrices in
   * codes of 4 and 8 bits are fused; a run of more dequantizes every matrix.
   */
  readonly fusedTokens: Readonly<Record<CodeBits, number>>;
  /**
   * True if the vision tokenizer's convolutions run on the device, false if on
   * the CPU.
   */
  readonly convolves: boolean;
  /** True if its convolutions support symmetric padding only. */
  readonly symmetricPads: boolean;
  /**
   * True if its convolutions are prepared for one shape of input at a time, so
   * that a run of another shape prepares them again.
   */
  readonly preparesShapes: boolean;
  /**
   * True if matrices are multiplied as `[in, out]`, the transpose of the stored
   * form.
   */
  readonly transposed: boolean;
}

/** Returns the types that keys and values may have, the preferred one first. */
export function supportedCacheDtypes(
  { cacheDtypes, int8Cache }: Pick<Provider, "cacheDtypes" | "int8Cache">,
): readonly CacheDtype[] {
  return int8Cache ? [...cacheDtypes, "int8"] : cacheDtypes;
}

/** The limits of devices that fuse products for any number of tokens. */
const ALWAYS_FUSED: Provider["fusedTokens"] = { 4: Infinity, 8: Infinity };

/**
 * The limits of CUDA's fused kernels for few rows, in half floats. Source: pull
 * request 29451 of ONNX Runtime, whose kernels its release 1.30 contains.
 */
const CUDA_FUSED_TOKENS: Provider["fusedTokens"] = { 4: 16, 8: 5 };

/**
 * The CPU provider, in fp32: on a CPU, half floats have no fast kernels and
 * bf16 has none. Codes of 8 bits have a kernel for int8 activations only, and
 * for codes of 4 bits it is much faster.
 */
export const CPU_PROVIDER: Provider = {
  name: "cpu",
  registration: undefined,
  computeDtype: "float32",
  cacheDtypes: ["float32", "float16"],
  int8Cache: true,
  int8CacheBias: true,
  deviceMemory: undefined,
  arenas: "cpu:0",
  maxRows: Infinity,
  maxTokens: Infinity,
  int8Activations: true,
  fusedTokens: ALWAYS_FUSED,
  convolves: true,
  symmetricPads: false,
  preparesShapes: false,
  transposed: false,
};

/** The kernels of attention on CUDA that have a preference. */
export const CUDA_ATTENTIONS = ["flash", "cudnn"] as const;

/** The kernel of attention that CUDA prefers. */
export type CudaAttention = typeof CUDA_ATTENTIONS[number];

/**
 * The values of `sdpa_kernel`, a sum of `AttentionBackend`s: flash (1),
 * memory-efficient (2), cuDNN (8) and unfused (16). Unlisted kernels are off;
 * without cuDNN's, ONNX Runtime takes flash.
 */
const SDPA_KERNELS: Readonly<Record<CudaAttention, number>> = {
  flash: 1 + 2 + 16,
  cudnn: 1 + 2 + 8 + 16,
};

/** Options of a CUDA session. */
export interface CudaOptions {
  /** Index of the GPU among those that CUDA may use. */
  readonly deviceId: number;
  /** The maximum number of bytes of an arena; undefined for no limit. */
  readonly memoryLimitBytes: number | undefined;
  /** The preferred kernel of attention; flash by default. */
  readonly attention?: CudaAttention | undefined;
}

/**
 * Returns the provider of an NVIDIA GPU. Its attention has kernels for half
 * floats only.
 *
 * Arenas grow by the requested amount, since doubling would take twice the size
 * of a checkpoint. TF32 is off, because it keeps 10 bits of a number, too few
 * for the codes of pictures. Convolution algorithms are selected by a
 * heuristic, since a search takes seconds for every size of picture. cuDNN may
 * have no plan for a convolution that pads the ends of an axis differently.
 *
 * cuDNN's attention, which ONNX Runtime prefers from Hopper on, prepares a plan
 * for each number of tokens, for some 400 ms; flash needs none.
 */
export function cudaProvider(
  { deviceId, memoryLimitBytes, attention = "flash" }: CudaOptions,
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
        "sdpa_kernel": String(SDPA_KERNELS[attention]),
        ...(memoryLimitBytes !== undefined &&
          { "gpu_mem_limit": String(memoryLimitBytes) }),
      },
    },
    computeDtype: "bfloat16",
    cacheDtypes: ["bfloat16", "float16"],
    int8Cache: true,
    int8CacheBias: false,
    deviceMemory: "Cuda",
    arenas: "cpu:0;gpu:0",
    maxRows: Infinity,
    maxTokens: Infinity,
    int8Activations: false,
    fusedTokens: CUDA_FUSED_TOKENS,
    convolves: true,
    symmetricPads: true,
    preparesShapes: true,
    transposed: false,
  };
}

/**
 * Returns the provider of any GPU with Vulkan, Metal or Direct3D. It has no
 * kernels for bf16, nor for a product with a transposed matrix. Its attention
 * over 32 or more tokens, and its convolutions, return wrong results on some
 * devices, such as software rendering. A shader may have as few as 8 buffers,
 * one of which each row needs.
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
    int8Cache: false,
    int8CacheBias: false,
    deviceMemory: "WebGPU_Buf",
    arenas: "cpu:0",
    maxRows: 4,
    maxTokens: 31,
    int8Activations: false,
    fusedTokens: ALWAYS_FUSED,
    convolves: false,
    symmetricPads: false,
    preparesShapes: false,
    transposed: true,
  };
}
