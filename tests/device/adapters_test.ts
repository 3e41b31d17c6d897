/**
 * The tests of adapters on a device: rows with adapters and without give the
 * CPU's results.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import type { Decoder } from "../../lib/decoder/decoder.ts";
import { OnnxDecoder } from "../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import type { ComputeDtype } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { type AdapterFixture, writeAdapter } from "../support/adapters.ts";
import { maxDifference, tinyFolder } from "../support/tiny.ts";
import { DEVICE, openDevice, openDeviceDecoder } from "./devices.ts";

const FIXTURES: Readonly<Record<string, AdapterFixture>> = {
  all: { seed: 21, rank: 4 },
  query: { seed: 22, rank: 2, targets: ["self_attn.q_proj"] },
  headed: { seed: 23, rank: 3, targets: ["mlp.down_proj"], head: true },
};

/** Adapters of the rows, by slot. */
const ROWS = [undefined, "all", "query", "headed", "all", undefined];
const PROMPT = Int32Array.from({ length: 20 }, (_, i) => (37 * i) % 1000);

const TOLERANCES: Readonly<Record<ComputeDtype, number>> = {
  float32: 1e-3,
  float16: 0.2,
  bfloat16: 0.5,
};

const COMPUTED: readonly ComputeDtype[] = DEVICE === "cuda"
  ? ["bfloat16"]
  : ["float32", "float16"];

/** Returns the logits after each of three steps of all rows. */
async function logitsOf(decoder: Decoder): Promise<number[]> {
  for (const [slot, adapter] of ROWS.entries()) {
    await decoder.prefill(slot, PROMPT, 0, undefined, adapter);
  }
  const results: number[] = [];
  for (let i = 0; i < 3; i++) {
    const hidden = await decoder.step(ROWS.map((adapter, slot) => ({
      slot,
      tokens: [5 + i],
      position: PROMPT.length + i,
      adapter,
    })));
    const logits = await decoder.logits("vocabulary", hidden, ROWS);
    results.push(...logits.flatMap((row) => [...row]));
  }
  return results;
}

for (const dtype of COMPUTED) {
  Deno.test(`step() in ${dtype} gives rows of several adapters the CPU's logits`, async () => {
    const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
    const { text, vocabulary } = await openTextSide(checkpoint);
    text[Symbol.dispose]();
    using folders = new DisposableStack();
    const adapters: NamedAdapter[] = [];
    for (const [name, fixture] of Object.entries(FIXTURES)) {
      const { path } = folders.use(writeAdapter(checkpoint.config, fixture));
      const adapter = await openAdapter(path, checkpoint.config);
      adapters.push({ name, adapter });
    }
    await using host = new Runtime({ threads: 1 });
    await using plain = await OnnxDecoder.open(host, checkpoint, vocabulary, {
      slots: ROWS.length,
      contextLength: 64,
      chunkLength: 32,
      heads: ["codes", "vocabulary"],
      cacheDtype: "float32",
      adapters,
    });
    await using runtime = await openDevice(dtype);
    await using decoder = await openDeviceDecoder(runtime, {
      slots: ROWS.length,
      adapters,
    });
    const worst = maxDifference(
      await logitsOf(decoder),
      await logitsOf(plain),
    );
    ok(worst < TOLERANCES[dtype], `${worst}`);
  });
}
