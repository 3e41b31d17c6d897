/**
 * The law of a divided decoder: its parts compute the bits of the whole, in
 * every arrangement of rows, with and without adapters.
 */

import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
} from "../../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import type { CacheDtype } from "../../../lib/runtime/provider.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import {
  languageTensors,
  writeRandomWeights,
} from "../../bench/random_checkpoint.ts";
import { writeAdapter } from "../../support/adapters.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const CODES = { firstCode: 600, codebookSize: 512 };
const FIELDS = {
  "hidden_size": 512,
  "intermediate_size": 1408,
  "num_hidden_layers": 5,
  "num_attention_heads": 8,
  "num_key_value_heads": 2,
  "vocab_size": CODES.firstCode + CODES.codebookSize,
  "max_position_embeddings": 128,
  "image_area": 4096,
  "pad_token_id": 1,
  "bos_token_id": 2,
  "eos_token_id": 3,
};
const CONFIG = parseLanguageConfig(FIELDS);
const SCALES = Array.from({ length: CONFIG.layers }, (_, layer) => {
  const { keyValueHeads, headSize } = CONFIG;
  const scales = new Float32Array(keyValueHeads * headSize);
  return { key: scales.fill(0.01 + 0.001 * layer), value: scales };
});
const PROMPT = Int32Array.from({ length: 23 }, (_, i) => (37 * i) % 600);

using fixtures = new DisposableStack();
const source = fixtures.use(temporaryFolder());
source.write("config.json", JSON.stringify(FIELDS));
source.write("generation_config.json", "{}");
await writeRandomWeights(source.path, languageTensors(CONFIG), "F32");
const copies = fixtures.use(temporaryFolder());
const int4 = `${copies.path}/int4`;
const how = { precision: "int4", threads: 2, program: "test" } as const;
await Array.fromAsync(quantizeCheckpoint(source.path, int4, how));
const { path } = fixtures.use(writeAdapter(CONFIG, { seed: 1, rank: 4 }));
const adapter = await openAdapter(path, CONFIG);
const kept = fixtures.move();
globalThis.addEventListener("unload", () => kept.dispose());

function open(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  parts: number,
  cacheDtype: CacheDtype = "float32",
): Promise<OnnxDecoder> {
  return OnnxDecoder.open(runtime, checkpoint, CODES, {
    slots: 4,
    contextLength: 64,
    chunkLength: 32,
    heads: ["codes"],
    cacheDtype,
    cacheScales: cacheDtype === "int8" ? SCALES : undefined,
    adapters: [{ name: "mine", adapter }],
    parts,
  });
}

/** Runs every arrangement of rows; returns all hidden states. */
async function states(decoder: OnnxDecoder, adapter?: string) {
  const all: Float32Array[] = [];
  const keep = (hidden: readonly Float32Array[]) => {
    all.push(...hidden.map((row) => row.slice()));
  };
  const position = PROMPT.length;
  for (let slot = 0; slot < 3; slot++) {
    const own = slot === 1 ? adapter : undefined;
    keep([await decoder.prefill(slot, PROMPT, 0, undefined, own)]);
  }
  const feed = (slot: number, tokens: readonly number[], position: number) => ({
    slot,
    tokens,
    position,
    adapter: slot === 1 ? adapter : undefined,
  });
  keep(await decoder.step([0, 1, 2].map((i) => feed(i, [700 + i], position))));
  keep(
    await decoder.step([
      feed(0, [701], position + 1),
      feed(1, [702, 4], position + 1),
    ]),
  );
  keep(await decoder.step([feed(0, [703], position + 2)]));
  const tokens = [704, 705, 706];
  keep(await decoder.multiTokenStep([feed(2, tokens, position + 1)]));
  const positionIds = Int32Array.from(Array(position + 5).keys());
  keep(
    await decoder.multiTokenStep([
      { ...feed(2, [707], position + 4), positionIds },
    ]),
  );
  return all;
}

for (
  const [name, folder, cacheDtype] of [
    ["fp32", source.path, "float32"],
    ["int4", int4, "float32"],
    ["int4 over keys and values in int8", int4, "int8"],
  ] as const
) {
  for (const chosen of [undefined, "mine"]) {
    Deno.test(`a decoder in parts computes the bits of the whole: ${name}, ${chosen ?? "no adapter"}`, async () => {
      const checkpoint = await openLanguageCheckpoint(folder);
      await using runtime = new Runtime({ threads: 2 });
      const found: Float32Array[][] = [];
      for (const parts of [1, 2, 3, 9]) {
        await using decoder = await open(
          runtime,
          checkpoint,
          parts,
          cacheDtype,
        );
        found.push(await states(decoder, chosen));
      }
      const [whole, ...divided] = found;
      ok(whole!.every((row) => row.every(Number.isFinite)));
      for (const some of divided) deepStrictEqual(some, whole);
    });
  }
}

Deno.test("a decoder in parts leaves no native object", async () => {
  const checkpoint = await openLanguageCheckpoint(int4);
  await using runtime = new Runtime({ threads: 2 });
  const before = runtime.alive;
  {
    await using decoder = await open(runtime, checkpoint, 3);
    await states(decoder, "mine");
  }
  deepStrictEqual(runtime.alive, before);
});

Deno.test("a run of a decoder in parts rejects with the reason of its signal", async () => {
  const checkpoint = await openLanguageCheckpoint(int4);
  await using runtime = new Runtime({ threads: 2 });
  await using decoder = await open(runtime, checkpoint, 3);
  const reason = new Error("stop");
  const run = decoder.prefill(0, PROMPT, 0, AbortSignal.abort(reason));
  await rejects(run, reason);
});

Deno.test("a part that cannot be loaded closes the others, and the error is clear", async () => {
  const checkpoint = await openLanguageCheckpoint(int4);
  const missing: LanguageCheckpoint = {
    ...checkpoint,
    weights: {
      find(key, shape) {
        const stored = checkpoint.weights.find(key, shape);
        const last = key.includes("layers.4.");
        return last ? { ...stored, location: "missing" } : stored;
      },
      findQuantized: (key, shape) =>
        checkpoint.weights.findQuantized(key, shape),
    },
  };
  await using runtime = new Runtime({ threads: 2 });
  const before = runtime.alive;
  await rejects(open(runtime, missing, 2), /missing/);
  deepStrictEqual(runtime.alive, before);
});
