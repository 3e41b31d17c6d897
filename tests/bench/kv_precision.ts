// deno-lint-ignore-file no-console -- a report for people
/**
 * The KV cache in fp32, fp16 and int8: milliseconds of a step of two rows by the
 * number of tokens before it, bytes of a token, and the divergence of the
 * distributions of codes from those with fp32.
 *
 * ```sh
 * deno task bench:kv                         # 207 M of noise
 * deno task bench:kv models/emu3-mini        # a checkpoint that has learned
 * deno task bench:kv published               # four layers of 8 B, in int4
 * deno task bench:kv FOLDER --formats float32,int8 --tokens 1,4000,7400 --side 4
 * ```
 *
 * `--side` is that of the picture whose distributions are compared, in codes;
 * `--threads` is 1 by default.
 *
 * Times are those of the processor, over which other work on the machine has less
 * influence, and of the clock, each the least of several turns. Keep results in
 * RESULTS.md.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { kvScales } from "../../lib/calibration/kv_scales.ts";
import {
  cacheBytesPerToken,
  type CacheSnapshot,
} from "../../lib/decoder/kv_cache.ts";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { drawingPrompt } from "../../lib/prompt.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import type { CacheDtype } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { uniformAt } from "../../lib/sampling/random.ts";
import { distributionOf, draw } from "../../lib/sampling/sampler.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { PUBLISHED_SIZES, writeMiddle } from "./middle_checkpoint.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    formats: { type: "string", default: "float32,float16,int8" },
    tokens: { type: "string", default: "512,2048,4096,8192" },
    side: { type: "string", default: "16" },
    threads: { type: "string", default: "1" },
  },
});
const DTYPES = values.formats.split(",") as CacheDtype[];
const TOKENS = values.tokens.split(",").map(Number);
const SIDE = Number(values.side);
const ROUNDS = 6;
/** Number of tokens that fill the caches, again and again. */
const FILLING = 32;
const SAMPLING = { temperature: 1, topK: 0, topP: 1 };

/** Number of layers of the published shape. */
const LAYERS = 4;

using folder = temporaryFolder();
using quantized = temporaryFolder();
await using runtime = new Runtime({ threads: Number(values.threads) });
const checkpoint = await openLanguageCheckpoint(
  await checkpointFolder(positionals[0]),
);
const { config } = checkpoint;
const { text, vocabulary } = await openTextSide(checkpoint);
using _ = text;
await text.ready;
const writer = { text, vocabulary };
const size = { height: SIDE, width: SIDE };
const prompt = await drawingPrompt(writer, "a fox on green", size);
const cacheScales = await kvScales(runtime, checkpoint, writer);
const lengths = TOKENS.filter((tokens) => tokens < config.maxPositions);
const decoders: OnnxDecoder[] = [];
for (const cacheDtype of DTYPES) {
  decoders.push(
    await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
      slots: 2,
      contextLength: Math.max(...lengths) + 1,
      chunkLength: 256,
      heads: ["codes"],
      cacheDtype,
      cacheScales,
    }),
  );
}

console.log(
  `| KV cache | bytes a token | ${
    lengths.map((tokens) => `step after ${tokens}: processor, clock, ms`)
      .join(" | ")
  } | mean KL | largest KL | same first |`,
);
const times = await stepTimes();
const errors = await divergences();
for (const [i, dtype] of DTYPES.entries()) {
  const { mean, largest, same } = errors[i]!;
  const cells = [
    dtype,
    cacheBytesPerToken(config, dtype),
    ...times[i]!.map(({ processor, clock }) =>
      `${processor.toFixed(1)}, ${clock.toFixed(1)}`
    ),
    mean.toExponential(1),
    largest.toExponential(1),
    `${(100 * same).toFixed(1)} %`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
for (const decoder of decoders) await decoder[Symbol.asyncDispose]();

/** Returns the folder of a checkpoint, which is written unless it is given. */
async function checkpointFolder(given: string | undefined): Promise<string> {
  if (given === undefined) {
    await writeMiddle(folder.path, "BF16");
    return folder.path;
  }
  if (given !== "published") return given;
  const sizes = { ...PUBLISHED_SIZES, "num_hidden_layers": LAYERS };
  await writeMiddle(folder.path, "BF16", sizes);
  const int4 = `${quantized.path}/int4`;
  const how = { precision: "int4", threads: 2, program: "bench" } as const;
  await Array.fromAsync(quantizeCheckpoint(folder.path, int4, how));
  return int4;
}

/** Milliseconds of a step. */
interface StepTime {
  processor: number;
  clock: number;
}

/** Returns the least times of a step, by decoder and length. */
async function stepTimes(): Promise<StepTime[][]> {
  const least = decoders.map(() =>
    lengths.map(() => ({ processor: Infinity, clock: Infinity }))
  );
  const codes = Int32Array.from(
    { length: FILLING },
    (_, i) => vocabulary.firstCode + i,
  );
  for (const decoder of decoders) {
    await decoder.prefill(0, codes, 0);
    const whole = repeated(
      await decoder.save(0, FILLING),
      Math.max(...lengths),
    );
    for (const slot of [0, 1]) await decoder.restore(slot, whole, whole.tokens);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, position] of lengths.entries()) {
      for (const [i, decoder] of decoders.entries()) {
        const feed = { tokens: [vocabulary.firstCode], position };
        const before = process.cpuUsage();
        const start = performance.now();
        await decoder.step([{ slot: 0, ...feed }, { slot: 1, ...feed }]);
        const time = least[i]![at]!;
        time.clock = Math.min(time.clock, performance.now() - start);
        const { user, system } = process.cpuUsage(before);
        time.processor = Math.min(time.processor, (user + system) / 1000);
      }
    }
  }
  return least;
}

/** Repeats the tokens of a snapshot: memory that was written is not shared. */
function repeated(
  { tokens, parts }: CacheSnapshot,
  length: number,
): CacheSnapshot {
  const heads = config.keyValueHeads;
  return {
    tokens: length,
    parts: parts.map((part) => {
      const head = part.length / heads;
      const long = new Uint8Array(part.length / tokens * length);
      for (let at = 0; at < long.length; at += head) {
        const source = Math.floor(at * heads / long.length) * head;
        long.set(part.subarray(source, source + head), at);
      }
      return long;
    }),
  };
}

/** Compares the distributions of one picture's codes, drawn with fp32. */
async function divergences() {
  const sums = decoders.map(() => ({ mean: 0, largest: 0, same: 0 }));
  let hidden: Float32Array<ArrayBuffer>[] = [];
  for (const decoder of decoders) {
    const states = await decoder.prefill(0, prompt, 0);
    hidden.push(states.slice(-config.hiddenSize));
  }
  for (let i = 0; i < SIDE * (SIDE + 1); i++) {
    let token = vocabulary.eol;
    if (i % (SIDE + 1) < SIDE) {
      const [expected, ...others] = await Promise.all(
        decoders.map(async (decoder, at) => {
          const [logits] = await decoder.logits("codes", [hidden[at]!]);
          return distributionOf(logits!, SAMPLING);
        }),
      );
      for (const [at, actual] of [expected!, ...others].entries()) {
        const sum = sums[at]!;
        const found = divergence(
          expected!.probabilities,
          actual.probabilities,
        );
        const best = first(expected!.probabilities);
        sum.mean += found / SIDE ** 2;
        sum.largest = Math.max(sum.largest, found);
        sum.same += Number(best === first(actual.probabilities)) / SIDE ** 2;
      }
      const uniform = uniformAt({ seed: 1, stream: 0 }, i);
      token = vocabulary.firstCode + draw(expected!, uniform);
    }
    const position = prompt.length + i;
    const next: Float32Array<ArrayBuffer>[] = [];
    for (const decoder of decoders) {
      const [state] = await decoder.step([
        { slot: 0, tokens: [token], position },
      ]);
      next.push(state!.slice());
    }
    hidden = next;
  }
  return sums;
}

/** Returns KL(p ‖ q), in nats. */
function divergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (const [i, of] of p.entries()) {
    if (of > 0) sum += of * Math.log(of / Math.max(q[i]!, Number.MIN_VALUE));
  }
  return sum;
}

function first(p: Float64Array): number {
  return p.indexOf(p.reduce((a, b) => Math.max(a, b)));
}
