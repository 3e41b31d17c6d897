import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as fc from "fast-check";
import { DataOrder } from "../../../lib/tuning/data_order.ts";
import { Optimizer } from "../../../lib/tuning/optimizer.ts";
import { learningRateAt, stepsOf } from "../../../lib/tuning/schedule.ts";
import { train, type TuningStep } from "../../../lib/tuning/trainer.ts";
import type { Parameters } from "../../../lib/tuning/parameters.ts";
import {
  GOLDEN_METHODS,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";

const schedule = {
  learningRate: 1,
  minLearningRate: 0.1,
  warmupSteps: 4,
  steps: 10,
};

Deno.test("learningRateAt rises in a line and falls in a cosine", () => {
  const rates = [1, 2, 4, 7, 10].map((step) => learningRateAt(schedule, step));
  deepStrictEqual(rates.slice(0, 3), [0.25, 0.5, 1]);
  ok(Math.abs(rates[3]! - 0.55) < 1e-12);
  ok(Math.abs(rates[4]! - 0.1) < 1e-12);
});

Deno.test("stepsOf counts the last batch of each epoch", () => {
  strictEqual(stepsOf(10, 4, 2), 6);
  strictEqual(stepsOf(8, 4, 0.5), 1);
});

Deno.test("DataOrder takes each record once an epoch, and never a held-out one", () => {
  fc.assert(fc.property(
    fc.record({
      records: fc.integer({ min: 1, max: 40 }),
      batch: fc.integer({ min: 1, max: 9 }),
      seed: fc.nat(),
    }),
    ({ records, batch, seed }) => {
      const heldOut = Math.floor(records / 4);
      const order = new DataOrder({
        records,
        heldOut,
        batch,
        seed,
        nullPrompt: 0.5,
      });
      for (let epoch = 0; epoch < 2; epoch++) {
        const taken = Array.from(
          { length: order.stepsPerEpoch },
          (_, i) => order.step(epoch * order.stepsPerEpoch + i + 1),
        ).flat().map(({ index }) => index);
        deepStrictEqual(
          [...taken, ...order.heldOut].sort((a, b) => a - b),
          Array.from({ length: records }, (_, index) => index),
        );
      }
      deepStrictEqual(order.step(1), order.step(1));
    },
  ));
});

Deno.test("DataOrder leaves out captions with the given probability", () => {
  const options = { records: 2000, heldOut: 0, batch: 2000, seed: 3 };
  const share = (nullPrompt: number) =>
    new DataOrder({ ...options, nullPrompt }).step(1)
      .filter(({ withoutText }) => withoutText).length / 2000;
  strictEqual(share(0), 0);
  strictEqual(share(1), 1);
  ok(Math.abs(share(0.05) - 0.05) < 0.02);
});

/** Constants of the optimizer in these tests. */
const CONSTANTS = {
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-6,
  weightDecay: 0.1,
  maxGradientNorm: 5,
};

/** The vectors that make up a run. */
const STATE = ["values", "first", "second"] as const;

/** Trains from a state to the end, or until `last`; returns steps and state. */
async function run(
  kind: "full" | "lora",
  state: readonly Float32Array<ArrayBuffer>[] | undefined,
  { start, last, rate = 1e-3 }: {
    readonly start: number;
    readonly last: number;
    readonly rate?: number;
  },
) {
  await using opened = await openTuning("emu3-tiny", GOLDEN_METHODS[kind]);
  const { runtime, model } = opened;
  const { parameters } = model;
  for (const [i, values] of (state ?? []).entries()) {
    await parameters.vector(STATE[i]!).write(0, values);
  }
  await using optimizer = await Optimizer.open(runtime, parameters, CONSTANTS);
  const sequences = goldenSequences();
  const steps: TuningStep[] = [];
  const trained = train({
    model,
    optimizer,
    order: new DataOrder({
      records: 5,
      heldOut: 1,
      batch: 2,
      nullPrompt: 0,
      seed: 1,
    }),
    sequence: (index) => Promise.resolve(sequences[index % 2]!),
    schedule: {
      learningRate: rate,
      minLearningRate: rate / 10,
      warmupSteps: 2,
      steps: 6,
    },
    start,
    evaluateEvery: 3,
  }, new AbortController().signal);
  for await (const step of trained) {
    steps.push(step);
    if (step.step === last) break;
  }
  return { steps, state: await stateOf(parameters) };
}

async function stateOf(parameters: Parameters) {
  const vectors: Float32Array<ArrayBuffer>[] = [];
  for (const kind of STATE) vectors.push(await parameters.vector(kind).read());
  return vectors;
}

for (const kind of ["lora", "full"] as const) {
  Deno.test(`train resumes ${kind} tuning to the same bits`, async () => {
    const whole = await run(kind, undefined, { start: 0, last: 6 });
    const first = await run(kind, undefined, { start: 0, last: 3 });
    const second = await run(kind, first.state, { start: 3, last: 6 });
    deepStrictEqual([...first.steps, ...second.steps], whole.steps);
    deepStrictEqual(second.state, whole.state);
    ok(whole.steps[5]!.heldOutLoss! < whole.steps[2]!.heldOutLoss!);
    deepStrictEqual(
      whole.steps.map(({ heldOutLoss }) => heldOutLoss === undefined),
      [true, true, false, true, true, false],
    );
  });
}

Deno.test("train stops when the loss is no number, and says what to try", async () => {
  await rejects(
    run("full", undefined, { start: 0, last: 6, rate: 1e30 }),
    /of step \d is not a number: lower --learning-rate/,
  );
});
