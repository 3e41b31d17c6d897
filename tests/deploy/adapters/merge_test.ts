import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { join } from "node:path";
import { parseArguments } from "../../../deploy/adapters/arguments.ts";
import { mergeAdapter } from "../../../deploy/adapters/merge.ts";
import { UsageError } from "../../../lib/command_line.ts";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { writeAdapter } from "../../support/adapters.ts";
import { changedFolder } from "../../support/changed_folder.ts";
import {
  GOLDEN,
  LANGUAGE_FOLDERS,
  maxDifference,
  tinyFolder,
} from "../../support/tiny.ts";
import { readSafetensors } from "../../support/safetensors.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const TOKENS = Int32Array.from({ length: 20 }, (_, i) => (37 * i + 5) % 1700);
const CODES = { firstCode: 1235, codebookSize: 512 };

/** Returns the path of an adapter that PEFT made. */
function madeByPeft(name: string): string {
  return new URL(`adapters/${name}`, GOLDEN).pathname;
}

/** Returns the names of a folder's entries. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name);
}

/** Returns the logits of the last token, with an adapter or without. */
async function logitsOf(folder: string, path?: string): Promise<number[]> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const adapters = path === undefined ? [] : [{
    name: "a",
    adapter: await openAdapter(path, checkpoint.config),
  }];
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await OnnxDecoder.open(runtime, checkpoint, CODES, {
    slots: 2,
    contextLength: 32,
    chunkLength: 32,
    heads: ["vocabulary"],
    cacheDtype: "float32",
    adapters,
  });
  const name = path && "a";
  const hidden = await decoder.prefill(0, TOKENS, 0, undefined, name);
  const last = hidden.slice(-checkpoint.config.hiddenSize);
  const [logits] = await decoder.logits("vocabulary", [last], [name]);
  return [...logits!];
}

for (const base of LANGUAGE_FOLDERS) {
  for (const name of ["plain", "patterns", "headed"]) {
    Deno.test(`mergeAdapter() adds ${name} to ${base}: the logits of the adapter beside it`, async () => {
      using out = temporaryFolder();
      const target = join(out.path, "merged");
      await mergeAdapter(madeByPeft(name), tinyFolder(base), target);
      const merged = await logitsOf(target);
      const beside = await logitsOf(tinyFolder(base), madeByPeft(name));
      const worst = maxDifference(merged, beside);
      ok(worst < 1e-4, `${worst}`);
      const [a, b] = await Promise.all(
        [target, tinyFolder(base)].map(openLanguageCheckpoint),
      );
      deepStrictEqual(a!.config, b!.config);
      strictEqual(a!.layout, b!.layout);
      deepStrictEqual(await namesIn(out.path), ["merged"]);
    });
  }
}

Deno.test("mergeAdapter() replaces what an interrupted merge left, never a finished folder", async () => {
  using out = temporaryFolder();
  const target = join(out.path, "merged");
  out.write("merged.partial/model.safetensors", "half");
  const merge = () =>
    mergeAdapter(madeByPeft("plain"), tinyFolder("emu3-tiny"), target);
  await merge();
  await openLanguageCheckpoint(target);
  await rejects(merge, /it exists; choose another folder/);
  const other = `${join(out.path, "other")}/`;
  await mergeAdapter(madeByPeft("plain"), tinyFolder("emu3-tiny"), other);
  deepStrictEqual((await namesIn(out.path)).sort(), ["merged", "other"]);
});

Deno.test("mergeAdapter() writes into a folder of the base, which is not copied into itself", async () => {
  using base = changedFolder(tinyFolder("emu3-tiny"), {
    "notes/read.txt": "copied",
  });
  const target = join(base.path, "merged");
  await mergeAdapter(madeByPeft("plain"), base.path, target);
  await openLanguageCheckpoint(target);
  const names = await namesIn(target);
  ok(!names.some((name) => name.includes("merged")), `${names}`);
  strictEqual(
    await Deno.readTextFile(join(target, "notes/read.txt")),
    "copied",
  );
});

Deno.test("mergeAdapter() refuses a base in few bits, and a head that is tied", async () => {
  using out = temporaryFolder();
  const quantized = join(out.path, "int8");
  const how = { precision: "int8", threads: 1, program: "test" } as const;
  await Array.fromAsync(
    quantizeCheckpoint(tinyFolder("emu3-tiny"), quantized, how),
  );
  const target = join(out.path, "merged");
  await rejects(
    mergeAdapter(madeByPeft("plain"), quantized, target),
    /8 bits; merge into the checkpoint that they were made from/,
  );
  const tiny = tinyFolder("emu3-tiny-hf");
  const config = JSON.parse(await Deno.readTextFile(`${tiny}/config.json`));
  const tensors = readSafetensors(`${tiny}/model.safetensors`);
  tensors.delete("text_model.lm_head.weight");
  using tied = changedFolder(tiny, {
    "config.json": JSON.stringify({ ...config, "tie_word_embeddings": true }),
    "model.safetensors": safetensorsBytes(tensors),
  });
  await rejects(
    mergeAdapter(madeByPeft("headed"), tied.path, target),
    /its head is its table of embeddings/,
  );
});

Deno.test("mergeAdapter() refuses an adapter of another base by the name of the tensor", async () => {
  using out = temporaryFolder();
  const { config } = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  using other = writeAdapter({ ...config, hiddenSize: 32 }, { seed: 1 });
  await rejects(
    mergeAdapter(other.path, tinyFolder("emu3-tiny"), join(out.path, "m")),
    /q_proj.lora_A.weight": it has shape \[4,32\]/,
  );
  deepStrictEqual(await namesIn(out.path), []);
});

Deno.test("parseArguments() parses the merge command, and reports faults", () => {
  deepStrictEqual(
    parseArguments(["merge", "a", "--model", "m", "--out", "o"]),
    { adapter: "a", model: "m", target: "o" },
  );
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /the command is missing/],
    ["split a", /"split" is no command/],
    ["merge", /the adapter is missing/],
    ["merge a b --model m --out o", /"b" is unexpected/],
    ["merge a --out o", /--model is missing/],
    ["merge a --model m", /--out is missing/],
    ["merge a --modl m", /unknown option --modl/],
  ];
  for (const [line, message] of wrong) {
    const words = line.split(" ").filter((word) => word !== "");
    throws(() => parseArguments(words), (error) => {
      ok(error instanceof UsageError);
      match(error.message, message);
      return true;
    });
  }
});
