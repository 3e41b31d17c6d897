// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of Emu3 on a GPU: parity with the reference, the cost of a step
 * beside the device's bandwidth, pictures per minute, and time to ready.
 *
 * ```sh
 * deno task bench:gpu                        # DEVICE=cuda, published sizes, 17 GB of noise
 * deno task bench:gpu FOLDER                 # keeps the checkpoints for the next run
 * DEVICE=webgpu SIZES=small deno task bench:gpu   # tries the bench itself
 * ```
 *
 * `ONNXRUNTIME_DIR` has the meaning of the server's variable. The last line is
 * one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { join } from "node:path";
import { openDevice } from "../../functions/models/device.ts";
import { readEnvironment, thisMachine } from "../../functions/env.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { openLanguageModel } from "../../lib/language_model.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { openDecoder } from "../../lib/decoder/open_decoder.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { compareWithGolden } from "./gpu_parity.ts";
import {
  MIDDLE_CODES,
  PUBLISHED_SIZES,
  SMALL_SIZES,
  writeMiddle,
} from "./middle_checkpoint.ts";
import { ms } from "./report.ts";
import { stepBytes } from "./step_bytes.ts";
import { median } from "./timing.ts";

/** Counts of concurrent guided pictures, of two rows each. */
const BATCHES = [1, 4, 16];

/** Side of the published pictures, in codes. */
const SIDE = 90;

/** Timed steps, and tokens of a row before them. */
const RUNS = 20;
const POSITION = 100;

/** Bytes of the copy that measures the device's memory bandwidth. */
const COPY_BYTES = 2 ** 28;

/** The cost of a step. */
interface StepCost {
  /** Count of concurrent guided pictures. */
  readonly pictures: number;
  /** Seconds of a step with its head. */
  readonly seconds: number;
  /** Ratio to the time of reading the weights alone. */
  readonly shareOfCeiling: number;
  /** Pictures of 90 × 90 codes per minute, code by code, without sampling. */
  readonly picturesPerMinute: number;
}

const [kept] = Deno.args;
const small = Deno.env.get("SIZES") === "small";
const environment = readEnvironment(
  thisMachine(),
  (name) => Deno.env.get(name) ?? (name === "DEVICE" ? "cuda" : undefined),
);
const root = kept ?? await Deno.makeTempDir();
try {
  await using runtime = await openDevice({
    ...environment,
    warn: console.error,
  });
  const { name, computeDtype } = runtime.provider;
  console.log(`${name}, ONNX Runtime ${runtime.version}, ${computeDtype}`);
  const parity = await compareWithGolden(runtime);
  console.table(parity);
  const bytesPerSecond = await bandwidth(runtime);
  console.log(`${(bytesPerSecond / 1e9).toFixed(0)} GB/s, by copying`);
  const results: Record<string, unknown> = {};
  for (const [format, folder] of Object.entries(await folders(root))) {
    const ready = await readySeconds(runtime, folder);
    const costs = await stepCosts(runtime, folder, bytesPerSecond);
    console.log(`\n${format}: ready in ${ready.toFixed(1)} s, files in cache`);
    for (const cost of costs) {
      const { pictures, seconds, shareOfCeiling, picturesPerMinute } = cost;
      console.log(
        `${pictures} at once: ${ms(seconds)} a step, ${
          (100 * shareOfCeiling).toFixed(0)
        } % of the ceiling, ${picturesPerMinute.toFixed(2)} pictures a minute`,
      );
    }
    results[format] = { ready, costs };
  }
  console.log(JSON.stringify({ name, bytesPerSecond, parity, results }));
} finally {
  if (kept === undefined) await Deno.remove(root, { recursive: true });
}

/**
 * Returns the folders of the checkpoint, original and in four bits; creates
 * missing ones.
 */
async function folders(root: string): Promise<Record<string, string>> {
  const whole = join(root, small ? "small" : "published");
  const int4 = `${whole}-int4`;
  if (!await isThere(join(whole, "model.safetensors"))) {
    await Deno.mkdir(whole, { recursive: true });
    await writeMiddle(whole, "BF16", small ? SMALL_SIZES : PUBLISHED_SIZES);
  }
  if (!await isThere(int4)) {
    const { threads } = environment;
    const how = { precision: "int4", threads, program: "bench" } as const;
    for await (const _ of quantizeCheckpoint(whole, int4, how));
  }
  return { whole, int4 };
}

/** Measures the seconds to open a model with a warm file cache. */
async function readySeconds(
  runtime: Runtime,
  folder: string,
): Promise<number> {
  let seconds = 0;
  for (let time = 0; time < 2; time++) {
    const started = performance.now();
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
    seconds = (performance.now() - started) / 1000;
  }
  return seconds;
}

async function stepCosts(
  runtime: Runtime,
  folder: string,
  bytesPerSecond: number,
): Promise<StepCost[]> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  const { computeDtype } = runtime.provider;
  await using decoder = await openDecoder(runtime, checkpoint, vocabulary, {
    slots: 2 * Math.max(...BATCHES),
    contextLength: 1024,
    chunkLength: 256,
    heads: ["codes"],
    cacheDtype: computeDtype,
  });
  const code = MIDDLE_CODES.firstCode;
  const codes = { start: code, count: MIDDLE_CODES.codebookSize };
  const bytes = stepBytes(checkpoint, codes, computeDtype);
  const costs: StepCost[] = [];
  for (const pictures of BATCHES) {
    const feeds = Array.from({ length: 2 * pictures }, (_, slot) => ({
      slot,
      tokens: [code + slot],
      position: POSITION,
    }));
    const seconds = await median(RUNS, async () => {
      await decoder.logits("codes", await decoder.step(feeds));
    });
    costs.push({
      pictures,
      seconds,
      shareOfCeiling: bytes / bytesPerSecond / seconds,
      picturesPerMinute: 60 * pictures / (seconds * SIDE * (SIDE + 1)),
    });
  }
  return costs;
}

/** Measures the bytes read and written per second by a copy on the device. */
async function bandwidth(runtime: Runtime): Promise<number> {
  const { device, provider } = runtime;
  if (device === undefined) throw new TypeError("Cannot measure: no device");
  const width = 1024;
  const rows = (small ? COPY_BYTES / 64 : COPY_BYTES) / width / 4;
  const shape = [1, 1, rows, width];
  using from = await device.allocate(shape, provider.computeDtype);
  using to = await device.allocate(shape, provider.computeDtype);
  const all = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
  const seconds = await median(RUNS, () => device.gather(from, all, to));
  const bytes = provider.computeDtype === "float32" ? 4 : 2;
  return 2 * rows * width * bytes / seconds;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
