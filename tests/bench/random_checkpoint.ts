/**
 * The checkpoints of any size, filled with noise: fast to create, with correct
 * shapes, dtypes and names.
 *
 * The tensors are those that the graphs request.
 *
 * @module
 */

import { join } from "node:path";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { VisionConfig } from "../../models/config/vision_config.ts";
import { decoderGraph, headGraph } from "../../models/decoder.ts";
import { elementCount } from "../../models/graph/dtype.ts";
import type { Weights } from "../../models/graph/weights.ts";
import { VISION_GRAPHS } from "../support/vision_graphs.ts";

/** Elements of noise in a tensor; longer ones repeat them. */
const NOISE_LENGTH = 1 << 20;

/**
 * Offset between the noise of consecutive tensors. ONNX Runtime merges equal
 * weights, and repeated reads would stay in caches.
 */
const NOISE_SHIFT = 61;

/** The stored types of elements, in safetensors' names. */
export type StoredDtype = "F32" | "BF16";

/** Bytes of an element. */
const BYTES = { F32: 4, BF16: 2 } as const satisfies Record<
  StoredDtype,
  number
>;

/** Writes the tensors that `build` requests into `folder`. */
export async function writeRandomWeights(
  folder: string,
  build: (weights: Weights) => void,
  dtype: StoredDtype,
): Promise<void> {
  const shapes = requestedTensors(build);
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [key, shape] of shapes) {
    const start = end;
    end += BYTES[dtype] * elementCount(shape);
    header[key] = { dtype, shape, "data_offsets": [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.length), true);
  using file = await Deno.create(join(folder, "model.safetensors"));
  await writeAll(file, new Uint8Array(length.buffer));
  await writeAll(file, json);
  const noise = makeNoise(NOISE_LENGTH + NOISE_SHIFT * shapes.size);
  let start = 0;
  for (const [key, shape] of shapes) {
    const own = noise.subarray(start, start + NOISE_LENGTH);
    await writeTensor(file, { key, shape, dtype }, own);
    start += NOISE_SHIFT;
  }
}

/** Requests every tensor that a language model reads. */
export function languageTensors(
  config: LanguageConfig,
): (weights: Weights) => void {
  return (weights) => {
    const options = {
      computeDtype: "float32",
      positions: 1,
      cacheDtype: "float32",
      arrangement: { type: "step" },
    } as const;
    decoderGraph(config, weights, options);
    const rows = { start: 0, count: config.vocabularySize };
    headGraph(config, weights, { ...options, rows });
  };
}

/** Requests every tensor that a vision tokenizer reads. */
export function visionTensors(
  config: VisionConfig,
): (weights: Weights) => void {
  return (weights) => {
    for (const build of Object.values(VISION_GRAPHS)) {
      build(config, weights, { computeDtype: "float32" });
    }
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
    findQuantized: () => undefined,
  });
  return shapes;
}

async function writeTensor(
  file: Deno.FsFile,
  { key, shape, dtype }: {
    readonly key: string;
    readonly shape: readonly number[];
    readonly dtype: StoredDtype;
  },
  noise: Float32Array,
): Promise<void> {
  const [, ...inner] = shape;
  const isNorm = shape.length === 1 && /weight|running_var/.test(key);
  const scale = shape.length === 1 ? 0 : 1 / Math.sqrt(elementCount(inner));
  const length = Math.min(noise.length, elementCount(shape));
  const block = noise.subarray(0, length).map((value) =>
    isNorm ? 1 : value * scale
  );
  const bytes = dtype === "F32"
    ? new Uint8Array(block.buffer as ArrayBuffer)
    : upperHalves(block);
  let left = BYTES[dtype] * elementCount(shape);
  while (left > 0) {
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    await writeAll(file, part);
    left -= part.length;
  }
}

/** Converts to bfloat16 by truncation. */
function upperHalves(block: Float32Array): Uint8Array {
  const bits = new Uint32Array(block.buffer, block.byteOffset, block.length);
  const halves = Uint16Array.from(bits, (value) => value >>> 16);
  return new Uint8Array(halves.buffer);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

/**
 * Generates uniform noise of variance one, by a linear congruential generator.
 */
function makeNoise(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) * Math.sqrt(12);
  });
}
