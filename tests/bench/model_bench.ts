/**
 * The models themselves: a decode step, a prefill, encoding and decoding a
 * picture, each beside what the machine allows.
 *
 * A decode step reads every weight once, so its ceiling is bytes over
 * bandwidth; a prefill and the vision tokenizer multiply, so theirs is
 * operations over peak.
 *
 * @module
 */

import { join } from "node:path";
import { OnnxDecoder } from "../../lib/engine/onnx_decoder.ts";
import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { sample } from "../../lib/sampling/sampler.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import type { Ceilings } from "./ceilings.ts";
import {
  languageTensors,
  visionTensors,
  writeRandomWeights,
} from "./random_checkpoint.ts";
import { best, type Row } from "./timing.ts";

/** A decoder of 207 M parameters, as a middle between mini and 8 B. */
const MIDDLE = {
  "hidden_size": 1024,
  "intermediate_size": 2816,
  "num_hidden_layers": 12,
  "num_attention_heads": 16,
  "num_key_value_heads": 4,
  "vocab_size": 35_027,
  "pad_token_id": 2048,
  "bos_token_id": 2254,
  "eos_token_id": 2255,
};

/** Tokens of a measured prefill. */
const PROMPT = 256;

/** Tokens a slot holds while a step is measured. */
const FILLED = 300;

/** Opens a checkpoint of noise in `folder`. */
export async function makeMiddle(folder: string): Promise<LanguageCheckpoint> {
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(MIDDLE));
  const config = parseLanguageConfig(MIDDLE);
  await writeRandomWeights(folder, languageTensors(config));
  return await openLanguageCheckpoint(folder);
}

/** Times a language model. */
export async function benchLanguage(
  runtime: Runtime,
  name: string,
  checkpoint: LanguageCheckpoint,
  vocabulary: Pick<Vocabulary, "firstCode" | "codebookSize">,
  ceilings: Ceilings,
): Promise<Row[]> {
  await using decoder = await OnnxDecoder.open(
    runtime,
    checkpoint,
    vocabulary,
    { slots: 8, contextLength: 1024, chunkLength: PROMPT, heads: ["codes"] },
  );
  const { layers, codes } = parameters(checkpoint, vocabulary);
  const prompt = new Int32Array(PROMPT).fill(5);
  const seconds = await best(5, () => decoder.prefill(0, prompt, 0));
  const rows: Row[] = [{
    name: `${name}: prefill of ${PROMPT} tokens`,
    seconds,
    ceilingSeconds: (2 * layers * PROMPT) / ceilings.flopsPerSecond,
  }];
  for (const count of [1, 2, 8]) {
    const feeds = Array.from({ length: count }, (_, slot) => ({
      slot,
      token: 5,
      position: FILLED,
    }));
    const step = async () => {
      await decoder.logits("codes", await decoder.step(feeds));
    };
    rows.push({
      name: `${name}: step of ${count} row${count > 1 ? "s" : ""}`,
      seconds: await best(40, step),
      ceilingSeconds: (4 * (layers + codes)) / ceilings.bytesPerSecond,
    });
  }
  rows.push({
    name: `${name}: a guided token`,
    seconds: await best(40, guidedToken(decoder)),
    ceilingSeconds: (4 * (layers + codes)) / ceilings.bytesPerSecond,
  });
  return rows;
}

/** A step of two rows, guidance, top-k and a draw. */
function guidedToken(decoder: OnnxDecoder): () => Promise<void> {
  const sampling = { temperature: 1, topK: 2048, topP: 1 };
  const feeds = [0, 1].map((slot) => ({ slot, token: 5, position: FILLED }));
  return async () => {
    const hidden = await decoder.step(feeds);
    const [logits, unconditional] = await decoder.logits("codes", hidden);
    guide(logits!, unconditional!, 3);
    sample(logits!, sampling, () => 0.5);
  };
}

/** Times the published vision tokenizer's shapes on one picture. */
export async function benchVision(
  runtime: Runtime,
  folder: string,
  side: number,
  ceilings: Ceilings,
): Promise<Row[]> {
  await Deno.writeTextFile(join(folder, "config.json"), "{}");
  const config = parseVisionConfig({});
  await writeRandomWeights(folder, visionTensors(config));
  const checkpoint = await openVisionCheckpoint(folder);
  await using vision = new VisionTokenizer(runtime, checkpoint);
  const codes = side / vision.pixelsPerCode;
  const grid = {
    height: codes,
    width: codes,
    codes: new Uint16Array(codes * codes).map((_, i) => (i * 97) % 32_768),
  };
  const pixels = new Uint8ClampedArray(3 * side * side).map((_, i) => i % 251);
  const image = { height: side, width: side, pixels };
  // Multiply-adds at 512² (spec: 1.86 and 3.85 T), scaled by area.
  const scale = (side / 512) ** 2;
  return [
    {
      name: `published vision tokenizer: encode ${side} × ${side}`,
      seconds: await best(1, () => vision.encode(image)),
      ceilingSeconds: (2 * 1.86e12 * scale) / ceilings.flopsPerSecond,
    },
    {
      name: `published vision tokenizer: decode ${side} × ${side}`,
      seconds: await best(1, () => vision.decode(grid)),
      ceilingSeconds: (2 * 3.85e12 * scale) / ceilings.flopsPerSecond,
    },
  ];
}

/** Weights of the layers, and of the head's rows that are codes. */
function parameters(
  { config }: LanguageCheckpoint,
  { codebookSize }: Pick<Vocabulary, "codebookSize">,
): { layers: number; codes: number } {
  const { hiddenSize: E, intermediateSize: F, heads, keyValueHeads } = config;
  const D = config.headSize;
  const attention = 2 * E * heads * D + 2 * E * keyValueHeads * D;
  return {
    layers: config.layers * (attention + 3 * E * F),
    codes: E * codebookSize,
  };
}
