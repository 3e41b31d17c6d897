/**
 * The environment variables of memory and speed: devices, numeric formats,
 * threads and caches.
 *
 * @module
 */

import { STRATEGY_NAMES } from "../../lib/drawing/strategy.ts";
import { CUDA_ATTENTIONS } from "../../lib/runtime/provider.ts";
import {
  CACHE_DTYPES,
  cacheDtype,
  choice,
  count,
  precision,
  strategy,
  type Variable,
  whole,
} from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const PERFORMANCE_VARIABLES = {
  DEVICE: {
    ...choice("device that models run on", "auto", [
      "auto",
      "cpu",
      "cuda",
      "webgpu",
    ]),
    fallback: "auto, a usable NVIDIA GPU, else the CPU",
  },
  PRECISION: {
    meaning:
      "numeric format of language model weights: fp32 (cpu, webgpu), bf16 (cuda), fp16 (webgpu), int8 or int4 (any; a quantized copy is written at the first start)",
    fallback: "fp32, on cuda bf16; for a quantized checkpoint, its own format",
    parse: precision,
  },
  KV_PRECISION: {
    meaning: `numeric format of the KV cache, one of ${
      [...CACHE_DTYPES.keys()].join(", ")
    }; int8 runs on cpu and cuda and needs scales, which are calibrated at the first start unless quantize --kv-scales stored them`,
    fallback:
      "fp32, or fp16 if one long image would take half of KV_BYTES; on cuda bf16",
    parse: cacheDtype,
  },
  KV_BYTES: count(
    "size of the KV caches of all language models together, in bytes",
    "a quarter of the memory of the device that models run on",
    1,
  ),
  GPU_MEMORY_BYTES: count(
    "GPU memory that may be used, in bytes",
    "on cuda all that is free; on webgpu no limit, since it cannot be measured",
    1,
  ),
  CUDA_ATTENTION: choice(
    "attention kernel that cuda prefers (cudnn takes some 400 ms to prepare each number of tokens)",
    "flash",
    CUDA_ATTENTIONS,
  ),
  PIXEL_BYTES: count(
    "memory for decoded and resized images of all requests, in bytes; at least 28 times MAX_PIXELS",
    "an eighth of the memory",
    1,
  ),
  SLOTS: {
    ...count(
      "sequences decoded in one batch; an image with guidance takes two",
      "16",
      2,
    ),
    parse: (text) => whole(text, 2) ?? 16,
  },
  THREADS: count(
    "compute threads of the models",
    "one per CPU, within the limits of the container",
    1,
  ),
  CODEC_THREADS: count(
    "threads that decode and encode images; one of them is reserved for small images",
    "one per CPU, at least 2 and at most 4",
    2,
  ),
  STRATEGY: {
    meaning: `default decoding strategy of images: ${
      STRATEGY_NAMES.join(", ")
    }`,
    fallback: "the fastest one for the device",
    parse: strategy,
  },
  ONNXRUNTIME_DIR: {
    meaning: "folder of another build of ONNX Runtime 1.30 and its providers",
    fallback: "the build of the npm package",
    parse: (text) => text,
  },
} as const satisfies Record<string, Variable<unknown>>;
