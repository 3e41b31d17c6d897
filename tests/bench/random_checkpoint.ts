/**
 * Checkpoints of any size, of noise: fast to make, meaningless to look at,
 * right in shape, dtype and name.
 *
 * The graphs themselves are asked which tensors they want.
 *
 * @module
 */

import { join } from "node:path";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { VisionConfig } from "../../models/config/vision_config.ts";
import { decoderGraph, headGraph } from "../../models/decoder.ts";
import { elementCount } from "../../models/graph/dtype.ts";
import type { Weights } from "../../models/graph/weights.ts";
import { stillDecoderGraph } from "../../models/vision_decoder.ts";
import { stillEncoderGraph } from "../../models/vision_encoder.ts";

/** Elements of noise that are made; longer tensors repeat them. */
const NOISE_LENGTH = 1 << 20;

/** Writes the tensors that `build` asks for, in fp32, into `folder`. */
export async function writeRandomWeights(
  folder: string,
  build: (weights: Weights) => void,
): Promise<void> {
  const shapes = requestedTensors(build);
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [key, shape] of shapes) {
    const start = end;
    end += 4 * elementCount(shape);
    header[key] = { dtype: "F32", shape, "data_offsets": [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.length), true);
  using file = await Deno.create(join(folder, "model.safetensors"));
  await writeAll(file, new Uint8Array(length.buffer));
  await writeAll(file, json);
  const noise = makeNoise();
  for (const [key, shape] of shapes) {
    await writeTensor(file, key, shape, noise);
  }
}

/** Asks for everything that a language model reads. */
export function languageTensors(
  config: LanguageConfig,
): (weights: Weights) => void {
  return (weights) => {
    const options = { computeDtype: "float32", positions: 1 } as const;
    decoderGraph(config, weights, options);
    const rows = { start: 0, count: config.vocabularySize };
    headGraph(config, weights, { ...options, rows });
  };
}

/** Asks for everything that a vision tokenizer reads to handle stills. */
export function visionTensors(
  config: VisionConfig,
): (weights: Weights) => void {
  return (weights) => {
    stillEncoderGraph(config, weights, { computeDtype: "float32" });
    stillDecoderGraph(config, weights, { computeDtype: "float32" });
  };
}

function requestedTensors(
  build: (weights: Weights) => void,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  build({
    find(key, shape) {
      shapes.set(key, shape);
      return { dtype: "float32", shape, location: "", offset: 0, length: 0 };
    },
  });
  return shapes;
}

async function writeTensor(
  file: Deno.FsFile,
  key: string,
  shape: readonly number[],
  noise: Float32Array,
): Promise<void> {
  const [, ...inner] = shape;
  const isNorm = shape.length === 1 && /weight|running_var/.test(key);
  const scale = shape.length === 1 ? 0 : 1 / Math.sqrt(elementCount(inner));
  const block = noise.map((value) => isNorm ? 1 : value * scale);
  const bytes = new Uint8Array(block.buffer as ArrayBuffer);
  let left = 4 * elementCount(shape);
  while (left > 0) {
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    await writeAll(file, part);
    left -= part.length;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

/** Uniform with variance one, from a linear congruential generator. */
function makeNoise(): Float32Array {
  let state = 1;
  return Float32Array.from({ length: NOISE_LENGTH }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) * Math.sqrt(12);
  });
}
