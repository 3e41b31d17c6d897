/**
 * The writer of an adapter and of its logits by this runtime, for PEFT to
 * compare: `ours.ts FOLDER` writes FOLDER/adapter and FOLDER/logits.
 *
 * @module
 */

import { join } from "node:path";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { writeAdapter } from "../../support/adapters.ts";
import { tinyFolder } from "../../support/tiny.ts";
import { safetensorsBytes } from "../../support/write_safetensors.ts";

const TOKENS = Int32Array.from({ length: 24 }, (_, i) => (37 * i + 11) % 1700);
const KEPT = [0, 11, 23];

const [out] = Deno.args;
if (out === undefined) throw new TypeError("Cannot write: name a folder");
const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
const { config } = checkpoint;
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
using written = writeAdapter(config, { seed: 5, rank: 6, size: 0.15 });
const folder = join(out, "adapter");
await Deno.mkdir(folder, { recursive: true });
for (const name of ["adapter_config.json", "adapter_model.safetensors"]) {
  await Deno.copyFile(join(written.path, name), join(folder, name));
}
await using runtime = new Runtime({ threads: 1 });
await using decoder = await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
  slots: 2,
  contextLength: 64,
  chunkLength: 32,
  heads: ["vocabulary"],
  cacheDtype: "float32",
  adapters: [{ name: "ours", adapter: await openAdapter(folder, config) }],
});
const hidden = await decoder.prefill(0, TOKENS, 0, undefined, "ours");
const { hiddenSize: width } = config;
const states = KEPT.map((i) => hidden.subarray(i * width, (i + 1) * width));
const rows = await decoder.logits("vocabulary", states);
const logits = {
  dtype: "F32",
  shape: [KEPT.length, config.vocabularySize],
  data: Float32Array.from(rows.flatMap((row) => [...row])),
};
await Deno.writeFile(
  join(out, "logits"),
  safetensorsBytes(new Map([["logits", logits]])),
);
