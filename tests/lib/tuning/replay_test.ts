import { ok, rejects, strictEqual } from "node:assert/strict";
import { elementCount } from "../../../models/graph/dtype.ts";
import type { TuningMethod } from "../../../lib/tuning/method.ts";
import type { TuningModel } from "../../../lib/tuning/tuning_model.ts";
import { hashedNumbers } from "../../support/hashed.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";

const SEQUENCES = goldenSequences();
const REPLAYED = goldenSequences("replay");
const ADAPTER = GOLDEN_METHODS.lora as TuningMethod & { kind: "lora" };
const WITH_HEAD = { ...ADAPTER, head: true };

for (const method of [ADAPTER, WITH_HEAD]) {
  const name = method.head ? "with a head" : "alone";
  Deno.test(`TuningModel has no gradient of what is replayed at the start of an adapter ${name}`, async () => {
    await using opened = await openTuning("emu3-tiny", method);
    const { model } = opened;
    await forget(model);
    await accumulateAll(model, REPLAYED);
    const replayed = norm(await model.parameters.vector("gradients").read());
    await accumulateAll(model, SEQUENCES);
    const labeled = norm(await model.parameters.vector("gradients").read());
    ok(replayed < 1e-5 * labeled, `${replayed} of ${labeled}`);
  });

  Deno.test(`TuningModel has the slope of a replayed loss, of an adapter ${name}`, async () => {
    await using opened = await openTuning("emu3-tiny", method);
    const { model } = opened;
    await accumulateAll(model, REPLAYED);
    const vector = model.parameters.vector("values");
    const values = await vector.read();
    const gradients = (await model.parameters.vector("gradients").read())
      .slice();
    const length = norm(gradients);
    const lossAt = async (distance: number) => {
      const moved = values.map((value, i) =>
        value + distance * gradients[i]! / length
      );
      await vector.write(0, moved);
      return await accumulateAll(model, REPLAYED);
    };
    const step = 1e-2;
    const slope = (await lossAt(step) - await lossAt(-step)) / (2 * step);
    ok(Math.abs(slope / length - 1) < 1e-2, `${slope}, gradient ${length}`);
  });
}

for (const layers of [[0], [1]]) {
  Deno.test(`TuningModel has the gradients of all layers for an adapter of layer ${layers}`, async () => {
    const gradients = async (method: TuningMethod) => {
      await using opened = await openTuning("emu3-tiny", method);
      const { model } = opened;
      // Adapters that change nothing, so that both models are the base.
      await forget(model);
      await accumulateAll(model, SEQUENCES);
      const all = await model.parameters.vector("gradients").read();
      return model.parameters.list.map(({ name, shape, offset }) => ({
        name,
        values: all.subarray(offset, offset + elementCount(shape)),
      }));
    };
    const some = await gradients({ ...ADAPTER, layers });
    const every = await gradients(ADAPTER);
    strictEqual(some.length, every.length / 2);
    for (const { name, values } of some) {
      const expected = every.find((other) => other.name === name)!.values;
      const error = norm(values.map((value, i) => value - expected[i]!));
      ok(error <= 1e-5 * norm(expected), name);
    }
  });
}

Deno.test("TuningModel rejects a replayed sequence if all weights are tuned", async () => {
  await using opened = await openTuning("emu3-tiny", GOLDEN_METHODS.full);
  await rejects(
    opened.model.accumulate([{ sequence: REPLAYED[0]!, weight: 1 }]),
    /"golden 0" is replayed, which needs the base .*: use --method lora/,
  );
});

/** Sets every A to the same values and B to zero: it changes nothing. */
async function forget({ parameters }: TuningModel): Promise<void> {
  for (const { name, shape, offset } of parameters.list) {
    const count = elementCount(shape);
    if (name.includes(".lora_A")) {
      const values = Float32Array.from(hashedNumbers(count, 0));
      await parameters.vector("values").write(offset, values);
    } else if (name.includes(".lora_B")) {
      await parameters.vector("values").write(offset, new Float32Array(count));
    }
  }
}

function norm(values: Float32Array): number {
  return Math.hypot(...values);
}
