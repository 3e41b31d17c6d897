/**
 * The bit-identity of a row in any batch: shapes of real models, whose kernels
 * split rows into tiles, with float and quantized weights.
 */

import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { quantizeCheckpoint } from "../../../lib/quantization/quantize_checkpoint.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import {
  languageTensors,
  writeRandomWeights,
} from "../../bench/random_checkpoint.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const CODES = { firstCode: 600, codebookSize: 512 };
const CONFIG = {
  "hidden_size": 1024,
  "intermediate_size": 2816,
  "num_hidden_layers": 1,
  "num_attention_heads": 16,
  "num_key_value_heads": 4,
  "vocab_size": CODES.firstCode + CODES.codebookSize,
  "max_position_embeddings": 128,
  "rms_norm_eps": 1e-5,
  "rope_theta": 1e6,
  "image_area": 4096,
  "pad_token_id": 1,
  "bos_token_id": 2,
  "eos_token_id": 3,
};
const SLOTS = 9;
const PROMPT = Int32Array.from({ length: 23 }, (_, i) => (37 * i) % 600);

/** Feeds of one token, or of a code and the end of its row. */
const FEEDS = [[700], [700, 4]] as const;

const source = temporaryFolder();
globalThis.addEventListener("unload", () => source[Symbol.dispose]());
source.write("config.json", JSON.stringify(CONFIG));
source.write("generation_config.json", "{}");
await writeRandomWeights(
  source.path,
  languageTensors(parseLanguageConfig(CONFIG)),
  "F32",
);

for (const precision of ["fp32", "int8", "int4"] as const) {
  const folder = temporaryFolder();
  let path = source.path;
  if (precision !== "fp32") {
    path = `${folder.path}/${precision}`;
    const how = { precision, threads: 2, program: "test" };
    await Array.fromAsync(quantizeCheckpoint(source.path, path, how));
  }
  const checkpoint = await openLanguageCheckpoint(path);

  Deno.test(`steps in ${precision} are bit-identical for a row in any batch`, async () => {
    using _ = folder;
    await using runtime = new Runtime({ threads: 2 });
    await using decoder = await OnnxDecoder.open(runtime, checkpoint, CODES, {
      slots: SLOTS,
      contextLength: 64,
      chunkLength: 32,
      heads: ["codes"],
      cacheDtype: "float32",
    });
    for (let slot = 0; slot < SLOTS; slot++) {
      await decoder.prefill(slot, PROMPT, 0);
    }
    const step = async (feeds: readonly (readonly number[])[]) => {
      const position = PROMPT.length;
      const hidden = await decoder.step(
        feeds.map((tokens, slot) => ({ slot, tokens, position })),
      );
      const logits = await decoder.logits("codes", hidden);
      return logits.map((row) => row.slice());
    };
    const alone = new Map<readonly number[], Float32Array>();
    for (const feed of FEEDS) alone.set(feed, (await step([feed]))[0]!);
    const anyFeeds = fc.array(fc.constantFrom(...FEEDS), {
      minLength: 1,
      maxLength: SLOTS,
    });
    await fc.assert(fc.asyncProperty(anyFeeds, async (feeds) => {
      const rows = await step(feeds);
      for (const [i, row] of rows.entries()) {
        deepStrictEqual(row, alone.get(feeds[i]!), `row ${i}`);
      }
    }));
  });
}
