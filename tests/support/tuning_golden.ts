/**
 * The golden gradients of tests/parity/tuning/reference.py, and the model that
 * they are compared with.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import { LAYER_MATRICES } from "../../models/tuning/layer_parts.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";
import { NO_LABEL, type TuningSequence } from "../../lib/tuning/sequence.ts";
import {
  TuningModel,
  type TuningModelOptions,
} from "../../lib/tuning/tuning_model.ts";
import { hashedNumbers } from "./hashed.ts";
import { tinyFolder } from "./tiny.ts";

/** Sums over a gradient. */
export interface GoldenGradient {
  readonly norm: number;
  /** Sums with signs by hash. */
  readonly projections: readonly number[];
}

/** A checkpoint and a method. */
export interface GoldenTuning {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, GoldenGradient>>;
  /** Losses of 50 steps. */
  readonly steps: readonly number[];
}

const LORA = {
  kind: "lora",
  rank: 4,
  alpha: 8,
  stabilized: false,
  targets: LAYER_MATRICES,
  layers: undefined,
  head: false,
} as const;

/** The name of a case of the golden data. */
export type GoldenCase = "full" | "lora" | "replay" | "upper" | "lower";

/** Cases whose sequences are replayed. */
const REPLAYED: readonly GoldenCase[] = ["replay", "upper"];

/** The methods of the golden data. */
export const GOLDEN_METHODS: Readonly<Record<GoldenCase, TuningMethod>> = {
  full: { kind: "full" },
  lora: LORA,
  replay: LORA,
  upper: { ...LORA, layers: [1] },
  lower: { ...LORA, layers: [0] },
};

/** Returns the golden data by checkpoint and method. */
export function tuningGolden(): Record<string, GoldenTuning> {
  const url = new URL("../golden/tuning/gradients.json", import.meta.url);
  return JSON.parse(Deno.readTextFileSync(url));
}

/** Returns the two sequences of a case. */
export function goldenSequences(name: GoldenCase = "lora"): TuningSequence[] {
  const vocabulary = 1747;
  const first = 1235;
  return [37, 150].map((length, number) => {
    const tokens = new Int32Array(length);
    const labels = new Int32Array(length).fill(NO_LABEL);
    // Rounded first, as there.
    const values = hashedNumbers(length, 1000 + number).map(Math.fround);
    for (const [i, value] of values.entries()) {
      tokens[i] = i >= 9
        ? first + Math.floor((value + 0.5) * (vocabulary - first))
        : Math.floor((value + 0.5) * first);
      if (i >= 9 && i % 7 !== 3) labels[i] = tokens[i]!;
    }
    return {
      key: `golden ${number}`,
      tokens,
      labels,
      replayed: REPLAYED.includes(name),
    };
  });
}

/** A model in tuning with its runtime. */
export interface OpenedTuning extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly model: TuningModel;
}

/** Opens a checkpoint for tuning; adapters get the golden start. */
export async function openTuning(
  folder: string,
  method: TuningMethod,
  options: Partial<TuningModelOptions> = {},
): Promise<OpenedTuning> {
  await using opened = new AsyncDisposableStack();
  const runtime = opened.use(new Runtime({ threads: 1 }));
  const checkpoint = await openLanguageCheckpoint(
    folder.includes("/") ? folder : tinyFolder(folder),
  );
  const model = opened.use(
    await TuningModel.open(runtime, checkpoint, {
      method,
      seed: 0,
      maxTokens: 256,
      queryBlock: 64,
      lossChunk: 50,
      keeps: true,
      castsOnce: true,
      parallel: 1,
      ...options,
    }),
  );
  await startGolden(model, method);
  const closing = opened.move();
  return {
    runtime,
    model,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Gives an adapter the golden start. */
export async function startGolden(
  { parameters }: TuningModel,
  method: TuningMethod,
): Promise<void> {
  if (method.kind !== "lora") return;
  for (const [seed, { name, shape, offset }] of parameters.list.entries()) {
    if (!name.includes(".lora_")) continue;
    const values = Float32Array.from(
      hashedNumbers(elementCount(shape), seed),
      (value) => Math.fround(value) * Math.fround(0.2),
    );
    await parameters.vector("values").write(offset, values);
  }
}

/** Adds the gradients of all sequences; returns the mean loss of labels. */
export async function accumulateAll(
  model: TuningModel,
  sequences: readonly TuningSequence[],
): Promise<number> {
  const labels = sequences.reduce(
    (sum, { labels }) =>
      sum + labels.subarray(1).filter((label) => label !== NO_LABEL).length,
    0,
  );
  const losses = await model.accumulate(
    sequences.map((sequence) => ({ sequence, weight: 1 / labels })),
  );
  return losses.reduce((total, { sum }) => total + sum, 0) / labels;
}
