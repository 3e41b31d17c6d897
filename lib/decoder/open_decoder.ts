/**
 * The choice of the decoder for the device that a runtime computes on.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Decoder } from "./decoder.ts";
import { DeviceDecoder } from "./device_decoder.ts";
import type { CodeTokens } from "./heads.ts";
import {
  type LoadingDecoder,
  OnnxDecoder,
  type OnnxDecoderOptions,
} from "./onnx_decoder.ts";

/**
 * Builds the graphs of a checkpoint and loads them.
 *
 * @throws {CheckpointError} If a weight is missing or has another shape.
 * @throws {RuntimeError} If ONNX Runtime refuses a graph.
 */
export async function openDecoder(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  vocabulary: CodeTokens,
  options: OnnxDecoderOptions,
): Promise<Decoder & LoadingDecoder> {
  return runtime.device === undefined
    ? await OnnxDecoder.open(runtime, checkpoint, vocabulary, options)
    : await DeviceDecoder.open(runtime, checkpoint, vocabulary, options);
}
