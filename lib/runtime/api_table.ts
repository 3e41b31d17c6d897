/**
 * The table of the used functions of ONNX Runtime's C API: their index in
 * `struct OrtApi` of onnxruntime_c_api.h and their parameters.
 *
 * @module
 */

/** Index in `OrtApi` and parameters of functions that return a status. */
export const CALLS = {
  DisableTelemetryEvents: [6, ["pointer"]],
  CreateSessionFromArray: [8, [
    "pointer",
    "buffer",
    "usize",
    "pointer",
    "buffer",
  ]],
  CreateSessionOptions: [10, ["buffer"]],
  DisableMemPattern: [17, ["pointer"]],
  SetSessionGraphOptimizationLevel: [23, ["pointer", "i32"]],
  SetIntraOpNumThreads: [24, ["pointer", "i32"]],
  CreateRunOptions: [39, ["buffer"]],
  RunOptionsSetTerminate: [46, ["pointer"]],
  CreateTensorAsOrtValue: [48, ["pointer", "buffer", "usize", "i32", "buffer"]],
  CreateTensorWithDataAsOrtValue: [49, [
    "pointer",
    "pointer",
    "usize",
    "buffer",
    "usize",
    "i32",
    "buffer",
  ]],
  GetTensorMutableData: [51, ["pointer", "buffer"]],
  GetDimensionsCount: [61, ["pointer", "buffer"]],
  GetDimensions: [62, ["pointer", "buffer", "usize"]],
  GetTensorTypeAndShape: [65, ["pointer", "buffer"]],
  CreateMemoryInfo: [68, ["buffer", "i32", "i32", "i32", "buffer"]],
  AllocatorFree: [76, ["pointer", "pointer"]],
  GetAllocatorWithDefaultOptions: [78, ["buffer"]],
  CreateEnvWithGlobalThreadPools: [119, [
    "i32",
    "buffer",
    "pointer",
    "buffer",
  ]],
  DisablePerSessionThreads: [120, ["pointer"]],
  CreateThreadingOptions: [121, ["buffer"]],
  AddSessionConfigEntry: [130, ["pointer", "buffer", "buffer"]],
  CreateAllocator: [131, ["pointer", "pointer", "buffer"]],
  RunWithBinding: [133, ["pointer", "pointer", "pointer"]],
  CreateIoBinding: [134, ["pointer", "buffer"]],
  BindInput: [136, ["pointer", "buffer", "pointer"]],
  BindOutput: [137, ["pointer", "buffer", "pointer"]],
  BindOutputToDevice: [138, ["pointer", "buffer", "pointer"]],
  GetBoundOutputValues: [140, ["pointer", "pointer", "buffer", "buffer"]],
  SetGlobalIntraOpNumThreads: [147, ["pointer", "i32"]],
  AddInitializer: [150, ["pointer", "buffer", "pointer"]],
  AddRunConfigEntry: [165, ["pointer", "buffer", "buffer"]],
  CreatePrepackedWeightsContainer: [166, ["buffer"]],
  CreateSessionFromArrayWithPrepackedWeightsContainer: [169, [
    "pointer",
    "buffer",
    "usize",
    "pointer",
    "pointer",
    "buffer",
  ]],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, ["pointer", "pointer"]],
  CreateCUDAProviderOptions: [205, ["buffer"]],
  UpdateCUDAProviderOptions: [206, ["pointer", "buffer", "buffer", "usize"]],
  SessionOptionsAppendExecutionProvider: [216, [
    "pointer",
    "buffer",
    "buffer",
    "buffer",
    "usize",
  ]],
} as const satisfies Record<
  string,
  readonly [number, readonly Deno.NativeType[]]
>;

/** Index in `OrtApi` of the functions that free an object, their parameter. */
export const RELEASES = {
  ReleaseEnv: 92,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseTensorTypeAndShapeInfo: 99,
  ReleaseSessionOptions: 100,
  ReleaseThreadingOptions: 122,
  ReleaseAllocator: 132,
  ReleaseIoBinding: 135,
  ReleasePrepackedWeightsContainer: 167,
  ReleaseCUDAProviderOptions: 208,
} as const;

/**
 * The function that frees the result of each call; others return nothing that
 * must be freed.
 */
export const MADE: Readonly<Partial<Record<CallName, ReleaseName>>> = {
  CreateCUDAProviderOptions: "ReleaseCUDAProviderOptions",
  CreateEnvWithGlobalThreadPools: "ReleaseEnv",
  CreateIoBinding: "ReleaseIoBinding",
  CreateAllocator: "ReleaseAllocator",
  CreateMemoryInfo: "ReleaseMemoryInfo",
  CreatePrepackedWeightsContainer: "ReleasePrepackedWeightsContainer",
  CreateRunOptions: "ReleaseRunOptions",
  CreateSessionFromArray: "ReleaseSession",
  CreateSessionFromArrayWithPrepackedWeightsContainer: "ReleaseSession",
  CreateSessionOptions: "ReleaseSessionOptions",
  CreateTensorAsOrtValue: "ReleaseValue",
  CreateTensorWithDataAsOrtValue: "ReleaseValue",
  CreateThreadingOptions: "ReleaseThreadingOptions",
  GetTensorTypeAndShape: "ReleaseTensorTypeAndShapeInfo",
};

/** A function that may fail. */
export type CallName = keyof typeof CALLS;

/** A function that frees. */
export type ReleaseName = keyof typeof RELEASES;
