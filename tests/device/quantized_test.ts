/**
 * The tests of quantized weights on a device: they give the results of a CPU,
 * up to the CPU's rounding of activations to int8.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import type { Decoder } from "../../lib/decoder/decoder.ts";
import { openDecoder } from "../../lib/decoder/open_decoder.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { quantizedCopy } from "../../lib/quantization/quantized_copy.ts";
import { CPU_PROVIDER } from "../../lib/runtime/provider.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { int32, readSafetensors } from "../support/safetensors.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { GOLDEN, maxDifference, tinyFolder } from "../support/tiny.ts";
import { openDevice } from "./devices.ts";

const golden = readSafetensors(new URL("lm.safetensors", GOLDEN));
const TOKENS = int32(golden, "chat.input_ids").slice(0, 40);

/**
 * Tolerance of logits of a few units; without rounding they differ by about a
 * tenth of it.
 */
const TOLERANCE = 0.5;

/** Returns the logits of the last token, and of the one after a step. */
async function logits(runtime: Runtime, folder: string): Promise<number[]> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  await using decoder: Decoder & AsyncDisposable = await openDecoder(
    runtime,
    checkpoint,
    vocabulary,
    {
      slots: 2,
      contextLength: 64,
      chunkLength: 64,
      heads: ["vocabulary"],
      cacheDtype: runtime.provider.computeDtype,
    },
  );
  const hidden = await decoder.prefill(0, TOKENS, 0);
  const width = hidden.length / TOKENS.length;
  const last = hidden.slice(-width);
  const position = TOKENS.length;
  const [next] = await decoder.step([{ slot: 0, tokens: [5], position }]);
  const scored = await decoder.logits("vocabulary", [last, next!]);
  return scored.flatMap((row) => [...row]);
}

for (const precision of ["int8", "int4"] as const) {
  Deno.test(`a model in ${precision} approximates its outputs on a CPU`, async () => {
    using kept = temporaryFolder();
    const folder = await quantizedCopy(tinyFolder("emu3-tiny"), {
      precision,
      threads: 1,
      program: "test",
      cacheFolder: kept.path,
      warn: () => {},
    });
    await using device = await openDevice();
    await using cpu = new Runtime({ threads: 1, provider: CPU_PROVIDER });
    const actual = await logits(device, folder);
    const expected = await logits(cpu, folder);
    const worst = maxDifference(actual, expected);
    ok(worst < TOLERANCE, `${worst}`);
    const largest = Math.max(...expected.map(Math.abs));
    ok(largest > 4 * TOLERANCE, "so that the tolerance says something");
  });
}
