/**
 * The tables of memory on the pages about models and GPUs, computed by the
 * functions by which the server accepts or refuses a model.
 *
 * @module
 */

import { cacheShare } from "../../functions/models/memory_check.ts";
import { cacheBytesPerToken } from "../../lib/decoder/kv_cache.ts";
import { cacheSize } from "../../lib/engine/cache_size.ts";
import { gridLength } from "../../lib/grid.ts";
import {
  copiedWeightBytes,
  deviceWeightBytes,
} from "../../lib/loading/weight_memory.ts";
import { cudaProvider } from "../../lib/runtime/provider.ts";
import { runBytesPerPixel } from "../../lib/vision/run_memory.ts";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import { type Dtype, DTYPE_BYTES } from "../../models/graph/dtype.ts";
import type { CodeBits } from "../../models/graph/weights.ts";
import { RecordedWeights } from "./recorded_weights.ts";
import { VISION_GRAPHS } from "./vision_graphs.ts";

/** The published language model; Gen, Chat and Stage1 have the same sizes. */
const MODEL = parseLanguageConfig({});

/** The published vision tokenizer. */
const VISION = parseVisionConfig({});

/** Tokens of a prompt, generously. */
const PROMPT_TOKENS = 64;

/** Sequences that run together, by default. */
const SLOTS = 16;

/** Side in codes of the largest picture that Emu3-Gen was tuned for. */
const SIDE = 90;

/** A format of weights in memory. */
interface Format {
  readonly name: string;
  readonly stored: Dtype;
  readonly codeBits?: CodeBits;
}

const INT8: Format = { name: "int8", stored: "bfloat16", codeBits: 8 };
const INT4: Format = { name: "int4", stored: "bfloat16", codeBits: 4 };

/** Returns the table of weights in the memory of the process or the device. */
export function weightTable(): string {
  const cpu: readonly Format[] = [
    { name: "fp32, stored so", stored: "float32" },
    { name: "fp32, stored in bf16 or fp16", stored: "bfloat16" },
    INT8,
    INT4,
  ];
  const cuda = [{ name: "bf16", stored: "bfloat16" } as const, INT8, INT4];
  return table(
    ["device", "weights", "draws or answers", "draws and answers"],
    [
      ...cpu.map((format) => [
        "cpu",
        format.name,
        ...heads().map((rows) => gigabytes(copied(format, rows))),
      ]),
      ...cuda.map((format) => [
        "cuda",
        format.name,
        ...heads().map((rows) => gigabytes(onDevice(format, rows))),
      ]),
    ],
  );
}

/** Returns the table of keys and values by request. */
export function cacheTable(): string {
  const requests: readonly (readonly [string, number])[] = [
    ["guided 720 × 720 picture (90 × 90 codes)", 2 * pictureTokens(SIDE)],
    ["the same, unguided", pictureTokens(SIDE)],
    ["guided 512 × 512 picture (64 × 64 codes)", 2 * pictureTokens(64)],
    [
      "answer of up to 1,024 tokens about a 512 × 512 picture",
      pictureTokens(64) + 1024,
    ],
  ];
  return table(
    ["request", "tokens", "fp32", "fp16 or bf16"],
    requests.map(([name, tokens]) => [
      name,
      tokens.toLocaleString("en-US"),
      gigabytes(tokens * cacheBytesPerToken(MODEL, "float32")),
      gigabytes(tokens * cacheBytesPerToken(MODEL, "float16")),
    ]),
  );
}

/** Returns the table of the vision tokenizer's memory by picture. */
export function visionTable(): string {
  const { encode, decode } = runBytesPerPixel(VISION, "host");
  return table(
    ["picture", "to encode", "to decode"],
    [512, 720, 1024].map((side) => [
      `${side} × ${side}`,
      gigabytes(encode * side ** 2),
      gigabytes(decode * side ** 2),
    ]),
  );
}

/** Returns the table of GPUs by their memory. */
export function cardTable(): string {
  const formats = [{ name: "bf16", stored: "bfloat16" } as const, INT8, INT4];
  const rows = [24, 48, 80].flatMap((card) =>
    formats.map((format) => [`${card} GB`, ...cardRow(format, card * 1e9)])
  );
  return table(
    [
      "card",
      "`PRECISION`",
      "weights",
      "`KV_BYTES`",
      "vision",
      "sum",
      "guided 720 × 720 pictures at once",
    ],
    rows,
  );
}

/** Returns the cells of a model that draws on a device of `bytes`. */
function cardRow(format: Format, bytes: number): string[] {
  const [rows = 0] = heads();
  const weights = onDevice(format, rows);
  const vision = visionWeightBytes() +
    runBytesPerPixel(VISION, "device").decode * (8 * SIDE) ** 2;
  const share = cacheShare(
    { device: {} as never, deviceMemoryBytes: bytes },
    { cacheBytes: undefined, memoryBytes: bytes, models: 1 },
  );
  const room = Math.floor((bytes - weights - vision) / 1e9) * 1e9;
  const cache = Math.min(share, room);
  const provider = cudaProvider({ deviceId: 0, memoryLimitBytes: undefined });
  const { tokens } = cacheSize(MODEL, provider, {
    cacheBytes: cache,
    slots: SLOTS,
  });
  const pictures = Math.floor(tokens / (2 * pictureTokens(SIDE)));
  return [
    format.name,
    gigabytes(weights),
    cache === share ? `unset: ${gigabytes(share)}` : `${cache}`,
    gigabytes(vision),
    gigabytes(weights + cache + vision),
    `${Math.min(pictures, SLOTS / 2)}`,
  ];
}

/** Returns the rows of the head of one function, and of both. */
function heads(): number[] {
  return [MODEL.vocabularySize, 2 * MODEL.vocabularySize];
}

function copied({ stored, codeBits }: Format, judged: number): number {
  const checkpoint = { config: MODEL, storedDtype: stored, codeBits };
  return copiedWeightBytes(checkpoint, "float32", judged);
}

function onDevice({ codeBits }: Format, judged: number): number {
  return deviceWeightBytes({ config: MODEL, codeBits }, "bfloat16", judged);
}

/** Returns the tokens of a prompt and a square picture, of one row. */
function pictureTokens(side: number): number {
  return gridLength({ height: side, width: side }) + PROMPT_TOKENS;
}

/** Returns the bytes of the published vision tokenizer, from its graphs. */
function visionWeightBytes(): number {
  const weights = new RecordedWeights();
  const options = { computeDtype: "float32" } as const;
  for (const build of Object.values(VISION_GRAPHS)) {
    build(VISION, weights, options);
  }
  return [...weights.requested.values()].reduce(
    (sum, { shape, dtype }) =>
      sum + shape.reduce((product, side) => product * side, 1) *
        DTYPE_BYTES[dtype],
    0,
  );
}

function gigabytes(bytes: number): string {
  return bytes === 0 ? "0, mapped" : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Returns a Markdown table without alignment. */
function table(head: readonly string[], rows: readonly string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
