/**
 * The device of these tests: `TEST_DEVICE`, else WebGPU, which has a software
 * driver on machines without a GPU.
 *
 * @module
 */

import { openLanguageModel } from "../../lib/language_model.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { openRuntime } from "../../lib/runtime/open_runtime.ts";
import type { CacheDtype, ComputeDtype } from "../../lib/runtime/provider.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { DeviceDecoder } from "../../lib/decoder/device_decoder.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import type { CacheScales } from "../../models/cache_scales.ts";
import { tinyFolder, type TinyLanguage } from "../support/tiny.ts";

/** Name of the device. */
export const DEVICE: "cuda" | "webgpu" = Deno.env.get("TEST_DEVICE") === "cuda"
  ? "cuda"
  : "webgpu";

/** Default dtype of its computations. */
export const DEVICE_DTYPE: ComputeDtype = DEVICE === "cuda"
  ? "bfloat16"
  : "float32";

/** True if results equal the reference's, up to the order of sums. */
export const EXACT: boolean = DEVICE_DTYPE === "float32";

/** Opens a runtime on the device. */
export async function openDevice(
  computeDtype: ComputeDtype = DEVICE_DTYPE,
): Promise<Runtime> {
  return await openRuntime({
    threads: navigator.hardwareConcurrency,
    device: DEVICE,
    computeDtype,
    library: Deno.env.get("TEST_ONNXRUNTIME"),
    deviceMemoryBytes: undefined,
    warn: () => {},
  });
}

/** The options of a decoder in tests. */
export interface DecoderOptions {
  /** Path of a checkpoint. */
  readonly folder?: string;
  /** Number of slots. */
  readonly slots?: number;
  /** Tokens by which slots grow. */
  readonly block?: number;
  /** Dtype of keys and values; that of the runtime by default. */
  readonly cacheDtype?: CacheDtype;
  /** Scales of an int8 cache. */
  readonly cacheScales?: CacheScales;
  /** Adapters of the decoder; none by default. */
  readonly adapters?: readonly NamedAdapter[];
}

/** Opens a decoder of a miniature checkpoint on the device. */
export async function openDeviceDecoder(
  runtime: Runtime,
  {
    folder = tinyFolder("emu3-tiny"),
    block = 16,
    slots = 4,
    cacheDtype = runtime.provider.computeDtype,
    cacheScales,
    adapters = [],
  }: DecoderOptions = {},
): Promise<DeviceDecoder> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  return await DeviceDecoder.open(runtime, checkpoint, vocabulary, {
    slots,
    contextLength: 128,
    chunkLength: 128,
    heads: ["codes", "vocabulary"],
    cacheDtype,
    cacheScales,
    adapters,
    block,
  });
}

/** Opens a miniature language model on the device. */
export async function openDeviceLanguage(
  name = "emu3-tiny",
): Promise<TinyLanguage & { readonly runtime: Runtime }> {
  const runtime = await openDevice();
  const checkpoint = await openLanguageCheckpoint(tinyFolder(name));
  const model = await openLanguageModel(runtime, checkpoint, {
    heads: ["codes", "vocabulary"],
    slots: 8,
    cacheBytes: 2 ** 26,
    chunkLength: 32,
    queueLimit: 64,
    now: () => performance.now(),
  });
  return {
    model,
    runtime,
    [Symbol.asyncDispose]: async () => {
      await model[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** Opens a miniature vision tokenizer on the device. */
export async function openDeviceVision(
  runtime: Runtime,
  name = "emu3-tiny-visiontokenizer",
): Promise<VisionTokenizer> {
  const checkpoint = await openVisionCheckpoint(tinyFolder(name));
  return new VisionTokenizer(runtime, checkpoint);
}
