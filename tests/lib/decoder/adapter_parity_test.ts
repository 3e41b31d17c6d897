/** The parity with PEFT: the logits of adapters that PEFT created. */

import { ok } from "node:assert/strict";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openAdapter } from "../../../lib/loading/adapter_files.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { float32, readSafetensors } from "../../support/safetensors.ts";
import {
  GOLDEN,
  LANGUAGE_FOLDERS,
  maxDifference,
  tinyFolder,
} from "../../support/tiny.ts";

const FOLDER = new URL("adapters/", GOLDEN);
const golden = readSafetensors(new URL("logits.safetensors", FOLDER));
const ADAPTERS = ["plain", "patterns", "headed"];
const TOKENS = Int32Array.from({ length: 24 }, (_, i) => (37 * i + 11) % 1700);
const KEPT = [0, 11, 23];

/** The tolerance of the same numbers added in another order. */
const TOLERANCE = 1e-4;

for (const name of LANGUAGE_FOLDERS) {
  Deno.test(`OnnxDecoder of ${name} returns PEFT's logits with PEFT's adapters, in a prompt and in steps`, async () => {
    const checkpoint = await openLanguageCheckpoint(tinyFolder(name));
    const { text, vocabulary } = await openTextSide(checkpoint);
    text[Symbol.dispose]();
    const adapters = await Promise.all(ADAPTERS.map(async (name) => {
      const folder = new URL(name, FOLDER).pathname;
      return { name, adapter: await openAdapter(folder, checkpoint.config) };
    }));
    await using runtime = new Runtime({ threads: 1 });
    await using decoder = await OnnxDecoder.open(
      runtime,
      checkpoint,
      vocabulary,
      {
        slots: 4,
        contextLength: 64,
        chunkLength: 32,
        heads: ["vocabulary"],
        cacheDtype: "float32",
        adapters,
      },
    );
    const rows = [undefined, ...ADAPTERS];
    const width = checkpoint.config.hiddenSize;
    const last = TOKENS.length - 1;
    for (const [slot, adapter] of rows.entries()) {
      const hidden = await decoder.prefill(
        slot,
        TOKENS,
        0,
        undefined,
        adapter,
      );
      const states = KEPT.map((i) =>
        hidden.subarray(i * width, (i + 1) * width)
      );
      const chosen = KEPT.map(() => adapter);
      const logits = await decoder.logits("vocabulary", states, chosen);
      const expected = float32(golden, adapter ?? "base");
      const worst = maxDifference(
        logits.flatMap((row) => [...row]),
        expected,
      );
      ok(worst < TOLERANCE, `prompt with ${adapter}: ${worst}`);
      decoder.release(slot);
      await decoder.prefill(
        slot,
        TOKENS.subarray(0, last),
        0,
        undefined,
        adapter,
      );
    }
    const tokens = [TOKENS[last]!];
    const hidden = await decoder.step(
      rows.map((adapter, slot) => ({ slot, tokens, position: last, adapter })),
    );
    const logits = await decoder.logits("vocabulary", hidden, rows);
    for (const [i, adapter] of rows.entries()) {
      const expected = float32(golden, adapter ?? "base");
      const worst = maxDifference(
        logits[i]!,
        expected.subarray(-logits[i]!.length),
      );
      ok(worst < TOLERANCE, `step with ${adapter}: ${worst}`);
    }
  });
}
