import { ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { elementCount } from "../../../models/graph/dtype.ts";
import { writeAdapter } from "../../../deploy/tune/adapter_files.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { LANGUAGE_FOLDERS, tinyFolder } from "../../support/tiny.ts";
import {
  accumulateAll,
  GOLDEN_METHODS,
  type GoldenCase,
  goldenSequences,
  openTuning,
} from "../../support/tuning_golden.ts";

/** Folder of PyTorch's gradients; run.sh sets it. */
const GRADIENTS = Deno.env.get("GRADIENTS")!;

const CASES = Object.keys(GOLDEN_METHODS) as GoldenCase[];

/** Python with PEFT; run.sh sets it. */
const PYTHON = Deno.env.get("PYTHON")!;

for (const folder of LANGUAGE_FOLDERS) {
  for (const kind of CASES) {
    Deno.test(`TuningModel has every element of the gradients of ${folder} ${kind}`, async () => {
      await using opened = await openTuning(folder, GOLDEN_METHODS[kind]);
      const { parameters } = opened.model;
      await accumulateAll(opened.model, goldenSequences(kind));
      const ours = await parameters.vector("gradients").read();
      const theirs = readSafetensors(
        join(GRADIENTS, `${folder}-${kind}.safetensors`),
      );
      strictEqual(theirs.size, parameters.list.length);
      let worst = 0;
      for (const { name, shape, offset } of parameters.list) {
        const expected = theirs.get(name)!.data as Float32Array;
        const values = ours.subarray(offset, offset + elementCount(shape));
        const norm = Math.hypot(...expected);
        const error = Math.hypot(...values.map((v, i) => v - expected[i]!));
        worst = Math.max(worst, error / norm);
        ok(error <= 1e-4 * norm, `${name}: ${error} of ${norm}`);
      }
      await Deno.stderr.write(
        new TextEncoder().encode(`${folder} ${kind}: at most ${worst}\n`),
      );
    });
  }
}

for (const kind of ["lora", "upper"] as const) {
  Deno.test(`PEFT opens an adapter of ${kind} tuning and has the loss of TuningModel`, async () => {
    using temporary = temporaryFolder();
    const method = GOLDEN_METHODS[kind];
    if (method.kind !== "lora") throw new TypeError("it is an adapter");
    await using opened = await openTuning("emu3-tiny", method);
    const { parameters } = opened.model;
    await writeAdapter(temporary.path, parameters, method, "emu3-tiny");
    const [sequence] = goldenSequences();
    const { tokens } = sequence!;
    const all = { key: "all", tokens, labels: tokens, replayed: false };
    const [of] = await opened.model.losses([all]);
    const { sum, labels } = of!;
    const { stdout, success } = await new Deno.Command(PYTHON, {
      args: [
        new URL("logits.py", import.meta.url).pathname,
        tinyFolder("emu3-tiny"),
        temporary.path,
        JSON.stringify([...tokens]),
      ],
    }).output();
    ok(success);
    const { loss } = JSON.parse(new TextDecoder().decode(stdout));
    ok(Math.abs(sum / labels - loss) < 1e-4, `${sum / labels} ${loss}`);
  });
}
