/**
 * The program that opens every graph of the CUDA path and runs those of the
 * language model, with stand-ins for CUDA: kernels do nothing, but ONNX Runtime
 * places nodes and checks arguments.
 *
 * ```sh
 * LD_LIBRARY_PATH=stand_ins deno run -A open_graphs.ts <library> <folder>
 * ```
 *
 * `folder` has the checkpoints by precision. Results are markers on standard
 * error (`placements.ts`).
 *
 * @module
 */

import { join } from "node:path";
import { DecoderSessions } from "../../lib/decoder/decoder_sessions.ts";
import { DeviceDecoder } from "../../lib/decoder/device_decoder.ts";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import {
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import {
  type CacheDtype,
  supportedCacheDtypes,
} from "../../lib/runtime/provider.ts";
import { Optimizer } from "../../lib/tuning/optimizer.ts";
import { TuningModel } from "../../lib/tuning/tuning_model.ts";
import { writeAdapter } from "../support/adapters.ts";
import { evenScales } from "../support/cache_scales.ts";
import { tinyFolder } from "../support/tiny.ts";
import { VISION_GRAPHS } from "../support/vision_graphs.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  type GoldenCase,
  goldenSequences,
  startGolden,
} from "../support/tuning_golden.ts";
import {
  CONTROL,
  openRecorded,
  type RecordedRuntime,
  TUNING,
  write,
} from "./recorded_runtime.ts";

/** Numbers of rows: of a prompt, a guided picture, and two of them. */
const ROWS = [1, 2, 3];

/** Numbers of tokens: of a step, an end of row with its code, a window. */
const TOKENS = [1, 2, 13, 23];

const PROMPT = 17;
const SLOTS = 4;

const [library, folder] = Deno.args as [string, string];
await using recorded = await openRecorded(library);
const { provider } = recorded.runtime;
const { symmetricPads } = provider;
await attempt("vision tokenizer", () => openVision(symmetricPads));
await attempt(CONTROL, () => openVision(false));
await attempt(CONTROL, openTwoTokens);
for (const kind of ["lora", "full", "replay"] as const) {
  await attempt(TUNING, () => runTuning(kind));
}
for (const precision of ["bf16", "int8", "int4"]) {
  for (const cacheDtype of supportedCacheDtypes(provider)) {
    for (const adapted of [false, true]) {
      const model = `${precision}, ${cacheDtype} cache${
        adapted ? ", adapters" : ""
      }`;
      await attempt(
        model,
        () => runDecoder(join(folder, precision), cacheDtype, adapted),
      );
    }
  }
}

/** Runs `body`, and writes a marker if ONNX Runtime refuses. */
async function attempt(model: string, body: () => Promise<void>) {
  recorded.model = model;
  try {
    await body();
  } catch (error) {
    write("refused", { message: `${model}: ${error}` });
  }
}

/** Opens the graphs of the vision tokenizer as it does itself. */
async function openVision(symmetricPads: boolean): Promise<void> {
  const { runtime }: RecordedRuntime = recorded;
  const { config, weights, weightFolder } = await openVisionCheckpoint(
    tinyFolder("emu3-tiny-visiontokenizer"),
  );
  for (const build of Object.values(VISION_GRAPHS)) {
    const options = { computeDtype: "float32", symmetricPads } as const;
    const { model } = build(config, weights, options);
    await using _ = await runtime.session(model, {
      weightFolder,
      prepack: false,
      shrink: true,
    });
  }
}

/** Runs a step of tuning. */
async function runTuning(kind: GoldenCase): Promise<void> {
  const { runtime } = recorded;
  const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  const method = GOLDEN_METHODS[kind];
  await using model = await TuningModel.open(runtime, checkpoint, {
    method,
    seed: 0,
    maxTokens: 256,
    queryBlock: 64,
    lossChunk: 50,
    keeps: true,
    castsOnce: true,
    parallel: 1,
  });
  await startGolden(model, method);
  await using optimizer = await Optimizer.open(runtime, model.parameters, {
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-6,
    weightDecay: 0.1,
    maxGradientNorm: 1,
  });
  await accumulateAll(model, goldenSequences(kind));
  await optimizer.step(1, 1e-3, await optimizer.gradientNorm());
}

/** Opens a graph that CUDA does not use, and of which it lacks kernels. */
async function openTwoTokens(): Promise<void> {
  const checkpoint = await openLanguageCheckpoint(join(folder, "bf16"));
  await using sessions = new DecoderSessions(recorded.runtime, checkpoint, {
    positions: 128,
    cacheDtype: "bfloat16",
  });
  await sessions.decoder({ type: "two_token" });
}

/** Runs prompts, steps and windows of all kinds. */
async function runDecoder(
  folder: string,
  cacheDtype: CacheDtype,
  adapted: boolean,
): Promise<void> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  using folders = new DisposableStack();
  const adapters: NamedAdapter[] = [];
  if (adapted) {
    const fixture = { rank: 4, seed: 1, head: true };
    const { path } = folders.use(writeAdapter(checkpoint.config, fixture));
    const adapter = await openAdapter(path, checkpoint.config);
    adapters.push({ name: "mine", adapter });
  }
  const chosen = adapted ? { adapter: "mine" } : {};
  await using decoder = await DeviceDecoder.open(
    recorded.runtime,
    checkpoint,
    vocabulary,
    {
      slots: SLOTS,
      contextLength: 128,
      chunkLength: 64,
      heads: ["codes", "vocabulary"],
      cacheDtype,
      cacheScales: evenScales(checkpoint.config),
      adapters,
    },
  );
  const places = cacheDtype !== "int8" || provider.int8CacheBias;
  for (const rows of ROWS) {
    for (const count of TOKENS) {
      for (const placed of places ? [false, true] : [false]) {
        const positionIds = Int32Array.from(Array(PROMPT + count).keys());
        const hidden = await decoder.multiTokenStep(
          Array.from({ length: rows }, (_, slot) => ({
            slot,
            tokens: Array<number>(count).fill(5),
            position: PROMPT,
            ...(placed && { positionIds }),
            ...chosen,
          })),
        );
        const last = hidden.map((states) =>
          states.subarray(-checkpoint.config.hiddenSize)
        );
        const names = last.map(() => chosen.adapter);
        await decoder.logits("codes", last, names);
        await decoder.logits("vocabulary", last, names);
      }
    }
  }
  const snapshot = await decoder.save(0, PROMPT);
  // The calibration of an int8 cache reads keys and values.
  if (cacheDtype !== "int8") {
    await recorded.runtime.device!.download(snapshot.parts[0]!);
  }
  await decoder.restore(1, snapshot, PROMPT);
  decoder.discard(snapshot);
}
