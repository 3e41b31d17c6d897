/**
 * The tests of tuning on a device: gradients, and steps, are those of a CPU.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { CPU_PROVIDER } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { Optimizer } from "../../lib/tuning/optimizer.ts";
import { TuningModel } from "../../lib/tuning/tuning_model.ts";
import { tinyFolder } from "../support/tiny.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  type GoldenCase,
  goldenSequences,
  startGolden,
} from "../support/tuning_golden.ts";
import { EXACT, openDevice } from "./devices.ts";

/** Difference of gradients, as a share of their norm. */
const TOLERANCE = EXACT ? 1e-3 : 5e-2;

/** Returns the losses of three steps, and the gradients of the first. */
async function steps(runtime: Runtime, kind: GoldenCase) {
  const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  await using model = await TuningModel.open(runtime, checkpoint, {
    method: GOLDEN_METHODS[kind],
    seed: 0,
    maxTokens: 256,
    queryBlock: 64,
    lossChunk: 50,
    keeps: true,
    castsOnce: true,
    parallel: 1,
  });
  await startGolden(model, GOLDEN_METHODS[kind]);
  await using optimizer = await Optimizer.open(runtime, model.parameters, {
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-6,
    weightDecay: 0.1,
    maxGradientNorm: 1,
  });
  const losses: number[] = [];
  let gradients: Float32Array | undefined;
  for (let step = 1; step <= 3; step++) {
    losses.push(await accumulateAll(model, goldenSequences(kind)));
    gradients ??= await model.parameters.vector("gradients").read();
    await optimizer.step(step, 1e-3, await optimizer.gradientNorm());
  }
  return { losses, gradients: gradients! };
}

for (const kind of ["lora", "full", "replay", "upper"] as const) {
  Deno.test(`${kind} tuning on the device has the gradients and losses of a CPU`, async () => {
    await using device = await openDevice();
    await using host = new Runtime({ threads: 1, provider: CPU_PROVIDER });
    const ours = await steps(device, kind);
    const theirs = await steps(host, kind);
    const norm = Math.sqrt(theirs.gradients.reduce((sum, g) => sum + g * g, 0));
    const error = Math.sqrt(
      theirs.gradients.reduce(
        (sum, g, i) => sum + (g - ours.gradients[i]!) ** 2,
        0,
      ),
    );
    ok(error <= TOLERANCE * norm, `${error} of ${norm}`);
    for (const [i, loss] of theirs.losses.entries()) {
      ok(Math.abs(ours.losses[i]! - loss) < TOLERANCE * 10, `step ${i}`);
    }
  });
}
