/**
 * A decoder whose keys and values can be read, on every device.
 *
 * @module
 */

import { DeviceDecoder } from "../decoder/device_decoder.ts";
import type { Decoder } from "../decoder/decoder.ts";
import type { CodeTokens } from "../decoder/heads.ts";
import {
  OnnxDecoder,
  type OnnxDecoderOptions,
} from "../decoder/onnx_decoder.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** A decoder with the contents of its KV cache. */
export interface ReadableDecoder
  extends Pick<Decoder, "prefill" | "logits">, AsyncDisposable {
  /**
   * Returns keys, then values of each layer, `[H, tokens, D]` each.
   *
   * @throws {RuntimeError} If the device has too little memory.
   */
  contents(slot: number, tokens: number): Promise<Float32Array<ArrayBuffer>[]>;
}

/**
 * Builds the graphs of a checkpoint and loads them, with keys and values in the
 * device's preferred format.
 *
 * @throws {CheckpointError} If a weight is missing or has another shape.
 * @throws {RuntimeError} If ONNX Runtime refuses a graph.
 */
export async function openReadableDecoder(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  vocabulary: CodeTokens,
  options: Omit<OnnxDecoderOptions, "cacheDtype">,
): Promise<ReadableDecoder> {
  const { device, provider } = runtime;
  if (device === undefined) {
    const decoder = await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
      ...options,
      cacheDtype: "float32",
    });
    return readable(decoder, async (slot, tokens) => {
      const { parts } = await decoder.save(slot, tokens);
      return parts.map(({ buffer }) => new Float32Array(buffer));
    });
  }
  const decoder = await DeviceDecoder.open(runtime, checkpoint, vocabulary, {
    ...options,
    cacheDtype: provider.cacheDtypes[0]!,
  });
  return readable(decoder, async (slot, tokens) => {
    const snapshot = await decoder.save(slot, tokens);
    try {
      const contents: Float32Array<ArrayBuffer>[] = [];
      for (const part of snapshot.parts) {
        contents.push(await device.download(part));
      }
      return contents;
    } finally {
      decoder.discard(snapshot);
    }
  });
}

function readable(
  decoder: OnnxDecoder | DeviceDecoder,
  contents: ReadableDecoder["contents"],
): ReadableDecoder {
  return {
    prefill: decoder.prefill.bind(decoder),
    logits: decoder.logits.bind(decoder),
    contents,
    [Symbol.asyncDispose]: () => decoder[Symbol.asyncDispose](),
  };
}
