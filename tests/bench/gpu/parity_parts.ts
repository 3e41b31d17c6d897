/**
 * The parts of the GPU benchmark that compare results with those of the CPU.
 *
 * @module
 */

import { strategyOf } from "../../../lib/drawing/strategy.ts";
import { draw } from "../../../lib/emu3.ts";
import { openLanguageModel } from "../../../lib/language_model.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../../lib/vision/vision_tokenizer.ts";
import { paint } from "../../support/pictures.ts";
import { float32 } from "../../support/safetensors.ts";
import { tinyFolder } from "../../support/tiny.ts";
import {
  clips,
  CODE_MARGIN,
  framesOf,
  golden,
  images,
} from "../../support/vq_golden.ts";
import type { BenchPart, BenchRow, GpuBench } from "./bench_part.ts";

/** The codes of pictures and clips, and pictures of alternating sizes. */
export const CODES: BenchPart = {
  name: "codes",
  title: "Codes beside the CPU's, and sizes that alternate",
  async *run(bench: GpuBench): AsyncGenerator<BenchRow> {
    const folder = tinyFolder("emu3-tiny-visiontokenizer");
    const checkpoint = await openVisionCheckpoint(folder);
    await using runtime = await bench.open();
    await using host = new Runtime({ threads: navigator.hardwareConcurrency });
    await using device = new VisionTokenizer(runtime, checkpoint);
    await using cpu = new VisionTokenizer(host, checkpoint);
    for (const { name, resized_hw: size } of images) {
      const [picture] = framesOf(name, size);
      const codes = await device.encode(picture!);
      const expected = await cpu.encode(picture!);
      const margins = float32(golden, `${name}.margin`);
      yield difference(`still ${name}`, codes.codes, expected.codes, margins);
    }
    for (const { name, resized_hw: size } of clips) {
      const frames = framesOf(name, size);
      const { codes } = await device.encodeClip(frames);
      const expected = await cpu.encodeClip(frames);
      const margins = float32(golden, `${name}.chunk_margin`);
      yield difference(`clip ${name}`, codes, expected.codes, margins);
    }
    const { vision, pictureSides } = bench.workload;
    await using sized = new VisionTokenizer(
      runtime,
      await openVisionCheckpoint(vision),
    );
    yield* alternatingSizes(sized, pictureSides);
  },
};

function difference(
  what: string,
  codes: Uint16Array,
  expected: Uint16Array,
  margins: Float32Array,
): BenchRow {
  const wrong = [...codes.keys()].filter((i) => codes[i] !== expected[i]);
  const clear = wrong.filter((i) => margins[i]! > CODE_MARGIN);
  return {
    what,
    codes: codes.length,
    different: wrong.length,
    "above the margin": clear.length,
    ms: "",
  };
}

/** Encodes pictures of some sizes in turn, three times. */
async function* alternatingSizes(
  vision: VisionTokenizer,
  sides: readonly number[],
): AsyncGenerator<BenchRow> {
  for (const turn of [1, 2, 3]) {
    for (const side of sides) {
      const picture = paint(side, side, (y, x) => [y & 255, x & 255, 99]);
      const started = performance.now();
      const { codes } = await vision.encode(picture);
      yield {
        what: `${side} × ${side}, turn ${turn}`,
        codes: codes.length,
        different: "",
        "above the margin": "",
        ms: rounded(performance.now() - started),
      };
    }
  }
}

/** Greedy pictures beside the CPU's. */
export const PICTURES: BenchPart = {
  name: "pictures",
  title: "Greedy pictures beside the CPU's",
  async *run(bench: GpuBench): AsyncGenerator<BenchRow> {
    await using runtime = await bench.open();
    await using host = new Runtime({ threads: navigator.hardwareConcurrency });
    for (const folder of bench.workload.compared) {
      const side = bench.workload.comparedSide;
      const actual = await greedyCodes(runtime, folder, side);
      const expected = await greedyCodes(host, folder, side);
      const first = expected.findIndex((code, i) => code !== actual[i]);
      yield {
        model: folder.slice(folder.lastIndexOf("/") + 1),
        codes: expected.length,
        "equal before the first difference": first < 0
          ? expected.length
          : first,
      };
    }
  },
};

async function greedyCodes(
  runtime: Runtime,
  folder: string,
  side: number,
): Promise<Uint16Array> {
  const checkpoint = await openLanguageCheckpoint(folder);
  await using model = await openLanguageModel(runtime, checkpoint, {
    heads: ["codes"],
    slots: 2,
    cacheBytes: 2 ** 28,
    chunkLength: 64,
    queueLimit: 1,
    now: () => performance.now(),
  });
  const events = draw(model, {
    prompt: "a rocket above a tree",
    negativePrompt: "",
    guidanceScale: 3,
    size: { height: side, width: side },
    prefix: undefined,
    strategy: strategyOf("autoregressive"),
    sampling: { temperature: 0, topK: 0, topP: 1 },
    seed: 0,
    count: 1,
    logprobs: 0,
  }, new AbortController().signal);
  for await (const event of events) {
    if (event.type === "grid") return event.grid.codes;
  }
  throw new TypeError("Cannot compare pictures: nothing was drawn");
}

/** Rounds milliseconds to hundredths. */
function rounded(ms: number): number {
  return Math.round(100 * ms) / 100;
}
