import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { RuntimeError } from "../../../lib/errors.ts";
import {
  type GpuSystem,
  openRuntime,
  type OpenRuntimeOptions,
  providerOf,
} from "../../../lib/runtime/open_runtime.ts";
import type { CudaAttention } from "../../../lib/runtime/provider.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** A system without a GPU. */
const NO_GPU: GpuSystem = {
  freeBytes: () => undefined,
  loadProblem: () => undefined,
};

function options(
  changes: Partial<OpenRuntimeOptions> = {},
): OpenRuntimeOptions {
  return {
    threads: 1,
    device: "auto",
    computeDtype: undefined,
    library: undefined,
    deviceMemoryBytes: undefined,
    warn: () => {},
    ...changes,
  };
}

Deno.test("openRuntime() takes the CPU if there is no GPU, without a warning", async () => {
  const lines: string[] = [];
  const warn = (line: string) => void lines.push(line);
  await using runtime = await openRuntime(options({ warn }), NO_GPU);
  strictEqual(runtime.provider.name, "cpu");
  strictEqual(runtime.device, undefined);
  deepStrictEqual(lines, []);
});

Deno.test("openRuntime() warns if it does not use a GPU that exists", async () => {
  const lines: string[] = [];
  const warn = (line: string) => void lines.push(line);
  const system = { ...NO_GPU, freeBytes: () => 80e9 };
  // The GPU computes in bf16.
  await using runtime = await openRuntime(
    options({ warn, computeDtype: "float32" }),
    system,
  );
  strictEqual(runtime.provider.name, "cpu");
  strictEqual(lines.length, 1);
  match(lines[0]!, /Cannot use fp32 on cuda.*; using the CPU instead$/);
});

// The provider's own loader is used; that of the npm package has no CUDA unless
// its script has run.
Deno.test("openRuntime() on cuda computes, or names the missing part", async () => {
  try {
    await using runtime = await openRuntime(options({ device: "cuda" }));
    strictEqual(runtime.provider.name, "cuda");
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    match(
      error.message,
      /^Cannot use cuda: .*(deno install --allow-scripts|LD_LIBRARY_PATH|driver)/,
    );
  }
});

Deno.test("openRuntime() on cuda names the library that the provider lacks", async () => {
  const tried: string[] = [];
  const system: GpuSystem = {
    freeBytes: () => undefined,
    loadProblem: (path) => {
      tried.push(path.slice(path.lastIndexOf("/") + 1));
      return path.endsWith("_cuda.so")
        ? "libcublasLt.so.13: cannot open shared object file"
        : undefined;
    },
  };
  try {
    await using _ = await openRuntime(options({ device: "cuda" }), system);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    match(error.message, /libraries of CUDA 13 are missing/);
    deepStrictEqual(tried, [
      "libonnxruntime_providers_shared.so",
      "libonnxruntime_providers_cuda.so",
    ]);
  }
});

Deno.test("openRuntime() on webgpu computes, or names the missing part", async () => {
  try {
    await using runtime = await openRuntime(options({ device: "webgpu" }));
    strictEqual(runtime.provider.name, "webgpu");
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    match(error.message, /^Cannot use webgpu: .*(Vulkan|ONNXRUNTIME_DIR)/);
  }
});

Deno.test("openRuntime() names a library that it cannot open", async () => {
  using folder = temporaryFolder();
  const library = `${folder.path}/libonnxruntime.so`;
  await Deno.writeTextFile(library, "not a library");
  await rejects(
    openRuntime(options({ device: "cpu", library })),
    (error) =>
      error instanceof RuntimeError && error.message.includes(folder.path),
  );
});

Deno.test("providerOf() computes in the types of each device", () => {
  strictEqual(providerOf("cpu", undefined, undefined).computeDtype, "float32");
  strictEqual(providerOf("cuda", undefined, 1).computeDtype, "bfloat16");
  strictEqual(
    providerOf("webgpu", "float16", undefined).computeDtype,
    "float16",
  );
  for (
    const [device, dtype, expected] of [
      [
        "cpu",
        "bfloat16",
        /bf16 on cpu: supported formats are fp32, int8 or int4/,
      ],
      ["cpu", "float16", /fp16 on cpu/],
      [
        "cuda",
        "float32",
        /fp32 on cuda: supported formats are bf16, int8 or int4/,
      ],
      ["cuda", "float16", /fp16 on cuda/],
      [
        "webgpu",
        "bfloat16",
        /bf16 on webgpu: supported formats are fp32, fp16/,
      ],
    ] as const
  ) {
    throws(() => providerOf(device, dtype, undefined), expected);
  }
});

Deno.test("providerOf() limits CUDA's memory, if a limit is known", () => {
  const limit = (bytes: number | undefined) =>
    providerOf("cuda", undefined, bytes).registration!.options["gpu_mem_limit"];
  strictEqual(limit(20e9), "20000000000");
  strictEqual(limit(undefined), undefined);
});

Deno.test("providerOf() prefers flash attention on CUDA, unless cuDNN's is asked for", () => {
  const kernels = (attention?: CudaAttention) =>
    Number(
      providerOf("cuda", undefined, undefined, attention).registration!
        .options["sdpa_kernel"],
    );
  const [flash, cudnn, unfused] = [1, 8, 16];
  strictEqual(kernels() & (flash | cudnn | unfused), flash | unfused);
  strictEqual(kernels("flash"), kernels());
  strictEqual(kernels("cudnn"), kernels() | cudnn);
});
