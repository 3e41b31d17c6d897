import { match } from "node:assert/strict";
import { deviceProblem } from "../../../lib/runtime/device_problem.ts";
import type { DeviceName } from "../../../lib/runtime/provider.ts";

const missing = (library: string) =>
  `Could not open library: ${library}: cannot open shared object file: No such file or directory`;

/** Messages of failed attempts, and their remedies. */
const PROBLEMS: readonly (readonly [DeviceName, string, RegExp])[] = [
  [
    "cuda",
    missing("/app/libonnxruntime_providers_shared.so"),
    /provider is not installed; run `deno install --allow-scripts=npm:onnxruntime-node`, or set ONNXRUNTIME_DIR/,
  ],
  [
    "cuda",
    `Failed to load /app/libonnxruntime_providers_cuda.so: ${
      missing("libcublasLt.so.13")
    }`,
    /libraries of CUDA 13 are missing.*LD_LIBRARY_PATH/,
  ],
  ["cuda", missing("libcurand.so.10"), /libraries of CUDA 13/],
  ["cuda", missing("libcudnn.so.9"), /cuDNN 9 for CUDA 13 is missing/],
  ["cuda", missing("libcuda.so.1"), /driver.*580.*--gpus all/],
  [
    "cuda",
    "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
    /driver is missing or too old/,
  ],
  ["cuda", "CUDA execution provider is not enabled in this build.", /provider/],
  ["cuda", "out of luck", /it does not start; set DEVICE=cpu/],
  ["webgpu", missing("libvulkan.so.1"), /Vulkan loader.*libvulkan1/],
  [
    "webgpu",
    "Failed to get a WebGPU adapter: No supported adapters",
    /no driver meets the requirements of WebGPU/,
  ],
  [
    "webgpu",
    "WebGPU execution provider is not supported in this build.",
    /does not support WebGPU; unset ONNXRUNTIME_DIR/,
  ],
];

for (const [device, said, expected] of PROBLEMS) {
  Deno.test(`deviceProblem() returns a remedy for: ${said}`, () => {
    const problem = deviceProblem(device, said);
    match(problem, new RegExp(`^Cannot use ${device}: `));
    match(problem, expected);
    match(problem, new RegExp(RegExp.escape(`(${said})`)));
  });
}
