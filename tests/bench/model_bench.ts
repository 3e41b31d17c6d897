/**
 * The benchmark of the models: a decode step, a prefill, encoding and decoding
 * a picture, each beside the machine's ceiling.
 *
 * A decode step reads every weight once, so its ceiling is bytes over
 * bandwidth; a prefill and the vision tokenizer multiply, so theirs is
 * operations over peak.
 *
 * @module
 */

import { join } from "node:path";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import {
  type LanguageCheckpoint,
  openVisionCheckpoint,
  type VisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { guide } from "../../lib/sampling/guidance.ts";
import { sample } from "../../lib/sampling/sampler.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import type { Ceilings } from "./ceilings.ts";
import { visionTensors, writeRandomWeights } from "./random_checkpoint.ts";
import { best, type Row } from "./timing.ts";

/** Tokens of a measured prefill. */
const PROMPT = 256;

/** Tokens in a slot while a step is measured. */
const FILLED = 300;

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
    {
      slots: 8,
      contextLength: 1024,
      chunkLength: PROMPT,
      heads: ["codes"],
      cacheDtype: "float32",
    },
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
      tokens: [5],
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

/** Runs a step of two rows, guidance, top-k and sampling. */
function guidedToken(decoder: OnnxDecoder): () => Promise<void> {
  const sampling = { temperature: 1, topK: 2048, topP: 1 };
  const feeds = [0, 1].map((slot) => ({ slot, tokens: [5], position: FILLED }));
  return async () => {
    const hidden = await decoder.step(feeds);
    const [logits, unconditional] = await decoder.logits("codes", hidden);
    guide(logits!, unconditional!, 3);
    sample(logits!, sampling, () => 0.5);
  };
}

/**
 * Writes a vision tokenizer of the published shapes, filled with noise, into an
 * existing `folder`, and opens it.
 */
export async function writePublishedVision(
  folder: string,
): Promise<VisionCheckpoint> {
  await Deno.writeTextFile(join(folder, "config.json"), "{}");
  const config = parseVisionConfig({});
  await writeRandomWeights(folder, visionTensors(config), "F32");
  return await openVisionCheckpoint(folder);
}

/** Returns a square picture, and a grid of as many pixels. */
export function visionInputs(
  { pixelsPerCode, codebookSize }: VisionTokenizer,
  side: number,
): { image: RgbImage; grid: CodeGrid } {
  const pixels = new Uint8ClampedArray(3 * side * side).map((_, i) => i % 251);
  const codes = side / pixelsPerCode;
  return {
    image: { height: side, width: side, pixels },
    grid: {
      height: codes,
      width: codes,
      codes: new Uint16Array(codes ** 2).map((_, i) => (i * 97) % codebookSize),
    },
  };
}

/** Times the published vision tokenizer's shapes on one picture. */
export async function benchVision(
  runtime: Runtime,
  folder: string,
  side: number,
  ceilings: Ceilings,
): Promise<Row[]> {
  const checkpoint = await writePublishedVision(folder);
  await using vision = new VisionTokenizer(runtime, checkpoint);
  const { image, grid } = visionInputs(vision, side);
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

/** Counts the weights of the layers, and of the head's rows that are codes. */
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
