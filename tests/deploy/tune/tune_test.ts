import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { readSafetensorsHeader } from "../../../lib/loading/safetensors.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import { QUANTIZED_PRECISIONS } from "../../../lib/quantization/recipe.ts";
import {
  LAYER_MATRICES,
  layerKey,
} from "../../../models/tuning/layer_parts.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { metricsOf, SHORT, tuned } from "../../support/tuned.ts";

/** Options of a short run of all weights. */
const FULL = [
  ...SHORT.filter((word) => word !== "--rank" && word !== "4"),
  ...["--method", "full"],
];

async function temporary(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tune writes an adapter in PEFT's form, metrics and a report", () =>
  temporary(async (folder) => {
    const out = join(folder, "mine");
    const notes = await tuned(out, [...SHORT, "--held-out", "2"]);
    match(notes, /"event":"plan"/);
    match(notes, /"event":"tuned"/);
    const config = JSON.parse(
      await Deno.readTextFile(join(out, "adapter_config.json")),
    );
    deepStrictEqual(
      [config.peft_type, config.task_type, config.r, config.lora_alpha],
      ["LORA", "CAUSAL_LM", 4, 8],
    );
    strictEqual(config.base_model_name_or_path, "emu3-tiny");
    strictEqual(
      config.target_modules.join(),
      "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj",
    );
    const { tensors } = await readSafetensorsHeader(
      join(out, "adapter_model.safetensors"),
    );
    strictEqual(tensors.size, 2 * 7 * 2);
    const name = "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight";
    deepStrictEqual(tensors.get(name)?.shape, [4, 128]);
    const steps = await metricsOf(out);
    deepStrictEqual(steps.map(({ step }) => step), [1, 2, 3, 4, 5, 6]);
    ok(steps.at(-1).loss < steps[0].loss);
    ok(steps.at(-1).held_out_loss > 0);
    const report = await Deno.readTextFile(join(out, "report.html"));
    match(report, /<svg[^]*held-out loss/);
  }));

Deno.test("tune changes nothing by replayed records alone", () =>
  temporary(async (folder) => {
    const out = join(folder, "mine");
    await tuned(out, SHORT, { replayed: true });
    for (const { loss } of await metricsOf(out)) ok(loss > 1, `${loss}`);
    const stored = readSafetensors(join(out, "adapter_model.safetensors"));
    for (const [name, { data }] of stored) {
      if (!name.includes("lora_B")) continue;
      const most = Math.max(...(data as Float32Array).map(Math.abs));
      ok(most < 1e-4, `${name} has ${most}`);
    }
  }));

Deno.test("tune resumes after an interruption, with bit-equal results", () =>
  temporary(async (folder) => {
    const whole = join(folder, "whole");
    const cut = join(folder, "cut");
    await tuned(whole, SHORT);
    await tuned(cut, SHORT, { stopAfter: 3 });
    deepStrictEqual((await metricsOf(cut)).length, 3);
    // A line that was cut off, and a checkpoint that was.
    await Deno.writeTextFile(join(cut, "metrics.jsonl"), '{"step":4,"lo', {
      append: true,
    });
    const broken = join(cut, "checkpoints", "step-000004.safetensors");
    await Deno.writeTextFile(broken, "half");
    const notes = await tuned(cut, SHORT);
    match(notes, /step-000004.safetensors is passed over/);
    match(notes, /Going on after step 3/);
    deepStrictEqual(
      (await metricsOf(cut)).map(({ step, loss }) => [step, loss]),
      (await metricsOf(whole)).map(({ step, loss }) => [step, loss]),
    );
    const file = "adapter_model.safetensors";
    deepStrictEqual(
      await Deno.readFile(join(cut, file)),
      await Deno.readFile(join(whole, file)),
    );
  }));

Deno.test("tune writes a head that is trained beside an adapter", () =>
  temporary(async (folder) => {
    await tuned(folder, [...SHORT, "--head", "--sample", "a"]);
    const config = JSON.parse(
      await Deno.readTextFile(join(folder, "adapter_config.json")),
    );
    deepStrictEqual(config.modules_to_save, ["lm_head"]);
    const { tensors } = await readSafetensorsHeader(
      join(folder, "adapter_model.safetensors"),
    );
    deepStrictEqual(
      tensors.get("base_model.model.lm_head.weight")?.shape,
      [1747, 64],
    );
    await rejects(
      tuned(join(folder, "next"), [...SHORT, "--adapter", folder]),
      /has a head of its own: merge it/,
    );
  }));

Deno.test("tune starts at an adapter that exists", () =>
  temporary(async (folder) => {
    const first = join(folder, "first");
    await tuned(first, SHORT);
    const adapter = ["--adapter", first];
    const next = join(folder, "next");
    await tuned(next, [...SHORT, ...adapter, "--learning-rate", "0"]);
    const file = "adapter_model.safetensors";
    deepStrictEqual(
      await Deno.readFile(join(next, file)),
      await Deno.readFile(join(first, file)),
    );
    await rejects(
      tuned(join(folder, "rank"), [...SHORT, ...adapter, "--alpha", "3"]),
      /rank 4 and factor 0.75 for .*, the adapter .* has rank 4 and factor 2/,
    );
    await rejects(
      tuned(join(folder, "few"), [...SHORT, ...adapter, "--targets", "q_proj"]),
      /which the run does not tune: name it in --targets/,
    );
  }));

Deno.test("tune adapts the named layers alone", () =>
  temporary(async (folder) => {
    const out = join(folder, "mine");
    await tuned(out, [...SHORT, "--layers", "1"], { replayed: true });
    const json = await Deno.readTextFile(join(out, "adapter_config.json"));
    deepStrictEqual(JSON.parse(json).layers_to_transform, [1]);
    const { config } = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
    const { matrices } = await openAdapter(out, config);
    const adapted = LAYER_MATRICES.map((name) => layerKey(1, name));
    deepStrictEqual([...matrices.keys()], adapted);
    const next = join(folder, "next");
    await rejects(
      tuned(next, [...SHORT, "--adapter", out]),
      /"model.layers.0.*, the adapter .* does not adapt it: give its .*--layers/,
    );
    await rejects(
      tuned(next, [...SHORT, "--layers", "0-2"]),
      /the model has no layer 2: give --layers from 0 to 1/,
    );
  }));

Deno.test("tune keeps the newest checkpoints", () =>
  temporary(async (folder) => {
    await tuned(folder, [...SHORT, "--keep", "2"]);
    const names = await Array.fromAsync(
      Deno.readDir(join(folder, "checkpoints")),
      ({ name }) => name,
    );
    deepStrictEqual(names.sort(), [
      "step-000004.safetensors",
      "step-000006.safetensors",
    ]);
  }));

for (const model of ["emu3-tiny", "emu3-tiny-hf"]) {
  Deno.test(`tune writes a checkpoint of all weights of ${model}`, () =>
    temporary(async (folder) => {
      await tuned(folder, FULL, { model });
      const opened = await openLanguageCheckpoint(folder);
      const base = await openLanguageCheckpoint(tinyFolder(model));
      strictEqual(opened.byteLength, base.byteLength);
      deepStrictEqual(opened.config, base.config);
      const key = "model.layers.0.mlp.up_proj.weight";
      const bytes = async (checkpoint: typeof base) => {
        const { location, offset, length } = checkpoint.weights.find(
          key,
          [128, 64],
        );
        const file = await Deno.readFile(
          join(checkpoint.weightFolder, location),
        );
        return file.subarray(offset, offset + length);
      };
      ok(!sameBytes(await bytes(opened), await bytes(base)));
    }));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("tune draws samples on a sheet", () =>
  temporary(async (folder) => {
    const sampled = ["--sample", "a", "--sample", "b", "--sample-every", "3"];
    await tuned(folder, [...SHORT, ...sampled]);
    const names = await Array.fromAsync(
      Deno.readDir(join(folder, "samples")),
      ({ name }) => name,
    );
    deepStrictEqual(names.sort(), [
      "step-000000.png",
      "step-000003.png",
      "step-000006.png",
    ]);
    const report = await Deno.readTextFile(join(folder, "report.html"));
    strictEqual(report.match(/data:image\/png/g)?.length, 3);
  }));

for (const precision of QUANTIZED_PRECISIONS) {
  Deno.test(`tune draws samples of a checkpoint in ${precision}, which its adapter changes`, () =>
    temporary(async (folder) => {
      const coded = join(folder, precision);
      const options = { precision, threads: 1, program: "test" };
      const tiny = tinyFolder("emu3-tiny");
      const visionFolder = tinyFolder("emu3-tiny-visiontokenizer");
      for await (const _ of quantizeCheckpoint(tiny, coded, options));
      const sampled = ["--sample", "a", "--sample-every", "6"];
      const rate = ["--learning-rate", "1"];
      const out = join(folder, "out");
      await tuned(out, [...SHORT, ...sampled, ...rate], {
        model: coded,
        visionFolder,
      });
      const [first, last] = ["000000", "000006"].map((step) =>
        Deno.readFileSync(join(out, `samples/step-${step}.png`))
      );
      ok(!sameBytes(first!, last!));
    }));
}

Deno.test("tune draws samples of a fully tuned checkpoint", () =>
  temporary(async (folder) => {
    const words = [...FULL, "--sample", "a", "--sample-every", "6"];
    await tuned(folder, words);
    ok((await Deno.stat(join(folder, "samples/step-000006.png"))).isFile);
  }));

Deno.test("tune counts the memory of samples, and looks for their vision tokenizer first", () =>
  temporary(async (folder) => {
    const memory = async (words: readonly string[]) => {
      const out = join(folder, `${words.length}`);
      const notes = await tuned(out, [...SHORT, ...words]);
      return JSON.parse(notes.split("\n")[0]!).availableBytes;
    };
    const plain = await memory([]);
    ok(plain - await memory(["--sample", "a"]) > 2 ** 28);
    const alone = join(folder, "alone");
    for await (
      const _ of quantizeCheckpoint(tinyFolder("emu3-tiny"), alone, {
        ...{ precision: "int8", threads: 1, program: "test" },
      })
    );
    await rejects(
      tuned(join(folder, "a"), [...SHORT, "--sample", "a"], { model: alone }),
      /CheckpointError: .*alone: no …VisionTokenizer .*; name one with --vision-model/,
    );
    await tuned(join(folder, "a"), SHORT, { model: alone });
  }));

Deno.test("tune rejects unusable inputs, with a remedy", () =>
  temporary(async (folder) => {
    const out = join(folder, "mine");
    await rejects(
      tuned(out, SHORT, { records: 0 }),
      /the prepared set is empty/,
    );
    await rejects(
      tuned(out, [...SHORT, "--held-out", "9"]),
      /--held-out 9 leaves nothing of 9 records/,
    );
    await rejects(
      tuned(join(folder, "small"), SHORT, { availableBytes: 1000 }),
      /are available: quantize the checkpoint .*, or lower --max-tokens/,
    );
    // A run that is refused leaves no settings to the next.
    await tuned(join(folder, "small"), [...SHORT, "--max-tokens", "100"]);
    await rejects(
      tuned(join(folder, "short"), [...SHORT, "--max-tokens", "20"]),
      /record "record \d" has \d+ tokens/,
    );
    const replaying = [...SHORT, "--replay", "own"];
    await tuned(out, replaying);
    await rejects(
      tuned(out, [...replaying, "--seed", "7"]),
      /holds a run with "seed" 0, this one has 7/,
    );
    await rejects(
      tuned(out, SHORT, { records: 8 }),
      /a run with "replay" "own", this one has nothing/,
    );
    const other = join(folder, "other");
    await Deno.mkdir(other);
    await Deno.writeTextFile(join(other, "thesis.txt"), "");
    await rejects(
      tuned(other, SHORT),
      /holds other files, such as "thesis.txt"/,
    );
    await rejects(
      tuned(join(other, "thesis.txt"), SHORT),
      /is a file: set --out to a new folder/,
    );
  }));
