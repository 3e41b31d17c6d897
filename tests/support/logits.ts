/**
 * The logits of a language model in a folder, without tokenizer or engine.
 *
 * @module
 */

import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { TINY_VOCABULARY } from "./golden.ts";

/**
 * Computes logits `[S, V]` after every token of `ids` `[S]`, for a tiny
 * checkpoint.
 */
export async function logitsOf(
  folder: string,
  ids: Int32Array,
): Promise<number[]> {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await OnnxDecoder.open(
    runtime,
    await openLanguageCheckpoint(folder),
    TINY_VOCABULARY,
    {
      slots: 2,
      contextLength: 128,
      chunkLength: 128,
      heads: ["vocabulary"],
      cacheDtype: "float32",
    },
  );
  const hidden = await decoder.prefill(0, ids, 0);
  const width = hidden.length / ids.length;
  const states = Array.from(
    ids,
    (_, i) => hidden.slice(i * width, (i + 1) * width),
  );
  const logits = await decoder.logits("vocabulary", states);
  return logits.flatMap((row) => [...row]);
}
