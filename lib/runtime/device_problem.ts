/**
 * The remedies for devices that cannot be used. Messages of ONNX Runtime name a
 * file or a call, but not the missing package.
 *
 * @module
 */

import type { DeviceName } from "./provider.ts";

/**
 * Patterns of messages of ONNX Runtime or the system's loader, and their
 * remedies.
 */
type Remedies = readonly (readonly [RegExp, string])[];

const PROVIDER_LIBRARY =
  "ONNX Runtime's CUDA provider is not installed; run `deno install --allow-scripts=npm:onnxruntime-node`, or set ONNXRUNTIME_DIR to a folder with the libraries of PyPI's onnxruntime-gpu 1.30.0";

const CUDA: Remedies = [
  [
    /libcuda\.so\.1|driver version is insufficient|no CUDA-capable device|CUDA failure (35|100)\b/,
    "no NVIDIA GPU was found, or its driver is missing or too old; install the driver (580 or later), and start containers with `--gpus all`",
  ],
  [
    /lib(cublas|cublasLt|curand|cudart|cufft|nvrtc)\.so\.\d+/,
    "libraries of CUDA 13 are missing; install its runtime (the image nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04 has it), or add their folders, such as site-packages/nvidia/cu13/lib, to LD_LIBRARY_PATH",
  ],
  [
    /libcudnn\w*\.so\.\d+|CUDNN_STATUS|cuDNN/,
    "cuDNN 9 for CUDA 13 is missing; install it (the image nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04 has it), or add its folder, such as site-packages/nvidia/cudnn/lib, to LD_LIBRARY_PATH",
  ],
  [/libonnxruntime_providers_(shared|cuda)|not enabled/, PROVIDER_LIBRARY],
];

const WEBGPU: Remedies = [
  [
    /libvulkan\.so\.1/,
    "the Vulkan loader is missing; install libvulkan1 (Debian, Ubuntu) or vulkan-loader (Fedora), and the GPU's Vulkan driver",
  ],
  [
    /adapter/i,
    "no driver meets the requirements of WebGPU; install the GPU's Vulkan driver, or Mesa 25 or later for software rendering",
  ],
  [
    /not (supported|enabled)/i,
    "this build of ONNX Runtime does not support WebGPU; unset ONNXRUNTIME_DIR",
  ],
];

const REMEDIES: Readonly<Record<DeviceName, Remedies>> = {
  cpu: [],
  cuda: CUDA,
  webgpu: WEBGPU,
};

/**
 * Returns `Cannot use {device}: …` with a remedy, from the message of ONNX
 * Runtime.
 */
export function deviceProblem(device: DeviceName, message: string): string {
  // The loader names the missing library last, after the library that needs it.
  const remedy = missingLibrary(message, REMEDIES[device]) ??
    REMEDIES[device].find(([pattern]) => pattern.test(message))?.[1] ??
    "it does not start; set DEVICE=cpu to run without it";
  return `Cannot use ${device}: ${remedy} (${message})`;
}

/**
 * Returns the name in `…: libX.so.1: cannot open shared object file`, if any.
 */
function missingLibrary(
  message: string,
  remedies: Remedies,
): string | undefined {
  const missing = [
    ...message.matchAll(/([\w.+-]+\.so[\w.]*): cannot open shared object/g),
  ].at(-1)?.[1];
  if (missing === undefined) return undefined;
  return remedies.find(([pattern]) => pattern.test(missing))?.[1];
}
