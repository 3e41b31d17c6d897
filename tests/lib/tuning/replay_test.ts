import { ok, rejects } from "node:assert/strict";
import { elementCount } from "../../../models/graph/dtype.ts";
import type { TuningMethod } from "../../../lib/tuning/method.ts";
import type { TuningModel } from "../../../lib/tuning/tuning_model.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";

const SEQUENCES = goldenSequences();
const REPLAYED = goldenSequences("replay");
const WITH_HEAD: TuningMethod = {
  ...GOLDEN_METHODS.lora as TuningMethod & { kind: "lora" },
  head: true,
};

for (const method of [GOLDEN_METHODS.lora, WITH_HEAD]) {
  const name = method.kind === "lora" && method.head ? "with a head" : "alone";
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

Deno.test("TuningModel rejects a replayed sequence if all weights are tuned", async () => {
  await using opened = await openTuning("emu3-tiny", GOLDEN_METHODS.full);
  await rejects(
    opened.model.accumulate(REPLAYED[0]!, 1),
    /"golden 0" is replayed, which needs the base .*: use --method lora/,
  );
});

/** Sets every B to zero, so that an adapter changes nothing. */
async function forget({ parameters }: TuningModel): Promise<void> {
  for (const { name, shape, offset } of parameters.list) {
    if (!name.includes(".lora_B")) continue;
    const zeros = new Float32Array(elementCount(shape));
    await parameters.vector("values").write(offset, zeros);
  }
}

function norm(values: Float32Array): number {
  return Math.hypot(...values);
}
