import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import { floatsOf } from "../../../lib/loading/floats.ts";
import type { TuningMethod } from "../../../lib/tuning/method.ts";
import { writeTunedCheckpoint } from "../../../deploy/tune/tuned_checkpoint.ts";
import { dequantize } from "../../support/dequantize.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";
import type { TuningModelOptions } from "../../../lib/tuning/tuning_model.ts";

/** Returns the loss and all gradients of a checkpoint in `folder`. */
async function gradientsOf(
  folder: string,
  method: TuningMethod,
  options: Partial<TuningModelOptions> = {},
): Promise<[number, Float32Array]> {
  await using opened = await openTuning(folder, method, options);
  const loss = await accumulateAll(opened.model, goldenSequences());
  return [loss, await opened.model.parameters.vector("gradients").read()];
}

for (const precision of ["int8", "int4"] as const) {
  Deno.test(`TuningModel tunes an adapter over ${precision} as over the floats that it stands for`, async () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, precision);
    const steps = quantizeCheckpoint(tinyFolder("emu3-tiny"), folder, {
      precision,
      threads: 1,
      program: "test",
    });
    for await (const _ of steps);
    const floats = join(temporary.path, "floats");
    await writeFloats(folder, floats);
    const lora = GOLDEN_METHODS.lora;
    const [loss, gradients] = await gradientsOf(folder, lora);
    const [expectedLoss, expected] = await gradientsOf(floats, lora);
    ok(Math.abs(loss - expectedLoss) < 1e-5, `${loss} ${expectedLoss}`);
    const norm = Math.hypot(...expected);
    const error = Math.hypot(...gradients.map((g, i) => g - expected[i]!));
    ok(error < 1e-5 * norm, `${error} of ${norm}`);
    await rejects(
      gradientsOf(folder, GOLDEN_METHODS.full),
      /in int8 or int4 has no weights to train: use --method lora/,
    );
  });
}

/** Writes the tiny checkpoint with the values of codes as floats. */
async function writeFloats(coded: string, target: string): Promise<void> {
  const base = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  const { codeBits } = await openLanguageCheckpoint(coded);
  const tensors = await readSafetensors(join(coded, "model.safetensors"));
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, { data, dtype }] of tensors) {
    const { buffer, byteOffset, byteLength } = data;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
    const key = name.replace(/_packed$/, "");
    if (key !== name) {
      const scales = Float32Array.from(
        tensors.get(`${key}_scale`)!.data as Float32Array,
      );
      const floats = dequantize(bytes, scales, codeBits!);
      values.set(key, Float32Array.from(floats));
    } else if (!/_(scale|shape)$/.test(name)) {
      values.set(name, Float32Array.from(floatsOf(bytes, dtype)));
    }
  }
  await writeTunedCheckpoint(
    base,
    target,
    [...values.keys()],
    (key) => Promise.resolve(values.get(key)),
  );
}

Deno.test("TuningModel has the same bits if weights are cast in the graphs", async () => {
  const mini = new URL("../../../models/emu3-mini", import.meta.url).pathname;
  const method = { ...GOLDEN_METHODS.lora, targets: ["mlp.up_proj"] } as const;
  const [loss, gradients] = await gradientsOf(mini, method as TuningMethod, {
    castsOnce: true,
  });
  const [again, same] = await gradientsOf(mini, method as TuningMethod, {
    castsOnce: false,
  });
  deepStrictEqual([again, same], [loss, gradients]);
});

for (const kind of ["lora", "full"] as const) {
  Deno.test(`TuningModel has the same bits if ${kind} tuning keeps activations or computes them again`, async () => {
    const [kept, again] = [
      await gradientsOf("emu3-tiny", GOLDEN_METHODS[kind], { keeps: true }),
      await gradientsOf("emu3-tiny", GOLDEN_METHODS[kind], { keeps: false }),
    ];
    deepStrictEqual(again, kept);
  });
}

Deno.test("TuningModel has the same gradients for any block of queries and chunk of logits", async () => {
  const whole = { queryBlock: 256, lossChunk: 256 };
  const { full } = GOLDEN_METHODS;
  const [loss, expected] = await gradientsOf("emu3-tiny", full, whole);
  for (
    const cut of [
      { queryBlock: 16, lossChunk: 7 },
      { queryBlock: 149, lossChunk: 1 },
      { queryBlock: 75, lossChunk: 64, keeps: false },
    ]
  ) {
    const [again, gradients] = await gradientsOf("emu3-tiny", full, cut);
    ok(Math.abs(again - loss) < 1e-5);
    const norm = Math.sqrt(expected.reduce((sum, g) => sum + g * g, 0));
    const error = Math.sqrt(
      gradients.reduce((sum, g, i) => sum + (g - expected[i]!) ** 2, 0),
    );
    ok(error < 1e-5 * norm, `${error} of ${norm}`);
  }
});
