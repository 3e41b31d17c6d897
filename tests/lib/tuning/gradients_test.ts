import { ok } from "node:assert/strict";
import { elementCount } from "../../../models/graph/dtype.ts";
import { Optimizer } from "../../../lib/tuning/optimizer.ts";
import { hashedNumbers } from "../../support/hashed.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  type GoldenCase,
  goldenSequences,
  openTuning,
  tuningGolden,
} from "../../support/tuning_golden.ts";

/** Projections of a gradient, as shares of its norm, may differ by this. */
const TOLERANCE = 1e-4;

const PROJECTIONS = 4;

for (const [name, golden] of Object.entries(tuningGolden())) {
  const [folder, kind] = name.split(" ") as [string, GoldenCase];
  for (
    const [how, options] of [
      ["kept", { keeps: true }],
      ["recomputed", { keeps: false }],
      ["side by side", { keeps: true, parallel: 2 }],
    ] as const
  ) {
    Deno.test(`TuningModel has PyTorch's gradients of ${name}, ${how}`, async () => {
      const method = GOLDEN_METHODS[kind];
      await using opened = await openTuning(folder, method, options);
      const { model } = opened;
      const loss = await accumulateAll(model, goldenSequences(kind));
      ok(Math.abs(loss - golden.loss) < 1e-4, `${loss} ${golden.loss}`);
      const gradients = await model.parameters.vector("gradients").read();
      const names = model.parameters.list.map(({ name }) => name);
      const sorted = Object.keys(golden.gradients).sort();
      for (const [seed, name] of sorted.entries()) {
        const { offset, shape } = model.parameters.list[names.indexOf(name)]!;
        const values = gradients.subarray(
          offset,
          offset + elementCount(shape),
        );
        compare(name, values, golden.gradients[name]!, seed);
      }
      ok(sorted.length === names.length);
    });
  }

  Deno.test(`Optimizer has PyTorch's losses of 50 steps of ${name}`, async () => {
    await using opened = await openTuning(folder, GOLDEN_METHODS[kind]);
    const { model, runtime } = opened;
    await using optimizer = await Optimizer.open(runtime, model.parameters, {
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-6,
      weightDecay: 0.1,
      maxGradientNorm: 1,
    });
    const top = kind === "full" ? 1e-3 : 1e-2;
    for (const [step, expected] of golden.steps.entries()) {
      const loss = await accumulateAll(model, goldenSequences(kind));
      ok(
        Math.abs(loss - expected) < 1e-3,
        `step ${step}: ${loss}, PyTorch has ${expected}`,
      );
      const rate = top * Math.min(1, (step + 1) / 10);
      await optimizer.step(step + 1, rate, await optimizer.gradientNorm());
    }
  });
}

function compare(
  name: string,
  values: Float32Array,
  golden: { readonly norm: number; readonly projections: readonly number[] },
  seed: number,
): void {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  const allowed = TOLERANCE * golden.norm;
  ok(Math.abs(norm - golden.norm) <= allowed, `${name}: norm ${norm}`);
  for (const [k, expected] of golden.projections.entries()) {
    const signs = hashedNumbers(values.length, 7000 + seed * PROJECTIONS + k);
    const sum = values.reduce(
      (sum, value, i) => sum + (signs[i]! < 0 ? -value : value),
      0,
    );
    ok(
      Math.abs(sum - expected) <= allowed,
      `${name}: projection ${sum}, PyTorch has ${expected}`,
    );
  }
}
