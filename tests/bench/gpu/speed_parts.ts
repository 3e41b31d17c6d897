/**
 * The parts of the GPU benchmark that measure time.
 *
 * @module
 */

import type { Decoder } from "../../../lib/decoder/decoder.ts";
import { openDecoder } from "../../../lib/decoder/open_decoder.ts";
import { openLanguageModel } from "../../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { CUDA_ATTENTIONS } from "../../../lib/runtime/provider.ts";
import type { CacheDtype } from "../../../lib/runtime/provider.ts";
import type { Runtime } from "../../../lib/runtime/runtime.ts";
import { evenScales } from "../../support/cache_scales.ts";
import { MIDDLE_CODES } from "../middle_checkpoint.ts";
import { stepBytes } from "../step_bytes.ts";
import { median } from "../timing.ts";
import type { BenchPart, BenchRow, GpuBench } from "./bench_part.ts";
import { copyBandwidth } from "./bandwidth.ts";

/** Side of the published pictures, in codes. */
const SIDE = 90;

/** Tokens before the steps of a crowd. */
const CROWD_POSITION = 100;

const CODES = {
  start: MIDDLE_CODES.firstCode,
  count: MIDDLE_CODES.codebookSize,
};

/**
 * The first and the second run of prompts and windows, by attention kernel and
 * type of the KV cache.
 */
export const ATTENTION: BenchPart = {
  name: "attention",
  title: "First and second run, by attention kernel and KV cache",
  async *run({ open, shallow, workload }: GpuBench): AsyncGenerator<BenchRow> {
    for (const attention of CUDA_ATTENTIONS) {
      await using runtime = await open(attention);
      const contextLength = workload.tokens.reduce((a, b) => a + b);
      for (const cache of [runtime.provider.computeDtype, "int8"] as const) {
        const size = { slots: 1, contextLength, cacheDtype: cache };
        await using decoder = await decoderOf(runtime, shallow, size);
        for await (const row of runsTwice(decoder, workload.tokens)) {
          yield { attention, cache, ...row };
        }
      }
    }
  },
};

/** Appends each of some numbers of tokens, twice at the same position. */
async function* runsTwice(
  decoder: Decoder,
  counts: readonly number[],
): AsyncGenerator<BenchRow> {
  let position = 0;
  for (const tokens of counts) {
    const run = async () => {
      const started = performance.now();
      const ids = new Int32Array(tokens).fill(CODES.start);
      await decoder.prefill(0, ids, position);
      return rounded(performance.now() - started);
    };
    yield {
      tokens,
      "tokens before": position,
      "first ms": await run(),
      "second ms": await run(),
    };
    position += tokens;
  }
}

/** Guided steps and windows beside the time of reading all weights. */
export const STEPS: BenchPart = {
  name: "steps",
  title: "Guided steps and windows, beside reading the weights once",
  async *run(bench: GpuBench): AsyncGenerator<BenchRow> {
    const { positions, windows, runs } = bench.workload;
    const contextLength = Math.max(...positions) + Math.max(1, ...windows);
    for (const [precision, folder] of Object.entries(bench.checkpoints)) {
      await using runtime = await bench.open();
      const floor = await floorSeconds(runtime, folder);
      await using decoder = await decoderOf(runtime, folder, {
        slots: 2,
        contextLength,
      });
      for (const position of positions) {
        for (const window of [1, ...windows]) {
          const seconds = await median(
            runs,
            () => guidedRun(decoder, 2, position, window),
          );
          yield {
            precision,
            "tokens before": position,
            window,
            ms: rounded(1000 * seconds),
            "floor ms": floor === undefined ? "" : rounded(1000 * floor),
          };
        }
      }
    }
  },
};

/** Steps of many guided pictures at once. */
export const CROWD: BenchPart = {
  name: "crowd",
  title: "Guided pictures of 90 × 90 codes at once, code by code",
  async *run(bench: GpuBench): AsyncGenerator<BenchRow> {
    const { crowds, runs } = bench.workload;
    const contextLength = CROWD_POSITION + 1;
    for (const [precision, folder] of Object.entries(bench.checkpoints)) {
      await using runtime = await bench.open();
      const slots = 2 * Math.max(...crowds);
      await using decoder = await decoderOf(runtime, folder, {
        slots,
        contextLength,
      });
      for (const pictures of crowds) {
        const seconds = await median(
          runs,
          () => guidedRun(decoder, 2 * pictures, CROWD_POSITION, 1),
        );
        yield {
          precision,
          pictures,
          ms: rounded(1000 * seconds),
          "pictures a minute": rounded(
            60 * pictures / (seconds * SIDE * (SIDE + 1)),
          ),
        };
      }
    }
  },
};

/** The time from the start to ready, with files in the page cache. */
export const READY: BenchPart = {
  name: "ready",
  title: "Seconds to ready, files in the page cache",
  async *run(bench: GpuBench): AsyncGenerator<BenchRow> {
    for (const [precision, folder] of Object.entries(bench.checkpoints)) {
      for (const run of [1, 2]) {
        const started = performance.now();
        await using runtime = await bench.open();
        const library = performance.now();
        await using _ = await openLanguageModel(
          runtime,
          await openLanguageCheckpoint(folder),
          {
            heads: ["codes"],
            slots: 2,
            cacheBytes: 2 ** 31,
            chunkLength: 256,
            queueLimit: 1,
            now: () => performance.now(),
          },
        );
        const ready = performance.now();
        yield {
          precision,
          run,
          "library ms": rounded(library - started),
          "weights ms": rounded(ready - library),
        };
      }
    }
  },
};

async function decoderOf(
  runtime: Runtime,
  folder: string,
  { slots, contextLength, cacheDtype = runtime.provider.computeDtype }: {
    readonly slots: number;
    readonly contextLength: number;
    readonly cacheDtype?: CacheDtype;
  },
): Promise<Decoder & AsyncDisposable> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  return await openDecoder(runtime, checkpoint, vocabulary, {
    slots,
    contextLength,
    chunkLength: 256,
    heads: ["codes"],
    cacheDtype,
    cacheScales: evenScales(checkpoint.config),
  });
}

/** Runs some tokens of each row, and the head of each token. */
async function guidedRun(
  decoder: Decoder,
  rows: number,
  position: number,
  tokens: number,
): Promise<void> {
  const hidden = await decoder.multiTokenStep(
    Array.from({ length: rows }, (_, slot) => ({
      slot,
      tokens: Array.from({ length: tokens }, (_, i) => CODES.start + i),
      position,
    })),
  );
  const width = hidden[0]!.length / tokens;
  const states = hidden.flatMap((row) =>
    Array.from(
      { length: tokens },
      (_, i) => row.subarray(i * width, (i + 1) * width),
    )
  );
  await decoder.logits("codes", states);
}

/** Returns the seconds of reading the weights; undefined without a device. */
async function floorSeconds(
  runtime: Runtime,
  folder: string,
): Promise<number | undefined> {
  const bytesPerSecond = await copyBandwidth(runtime);
  if (bytesPerSecond === undefined) return undefined;
  const checkpoint = await openLanguageCheckpoint(folder);
  const { computeDtype } = runtime.provider;
  return stepBytes(checkpoint, CODES, computeDtype) / bytesPerSecond;
}

/** Rounds to hundredths. */
function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
