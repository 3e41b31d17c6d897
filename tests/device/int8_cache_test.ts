/**
 * The tests of an int8 KV cache on a device.
 *
 * @module
 */

import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { calibrateCache } from "../../lib/calibration/calibrate_cache.ts";
import { openLanguageModel } from "../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { int32, readSafetensors } from "../support/safetensors.ts";
import { GOLDEN, maxDifference, tinyFolder } from "../support/tiny.ts";
import { DEVICE, EXACT, openDevice, openDeviceDecoder } from "./devices.ts";

const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
const ids = int32(
  readSafetensors(new URL("lm.safetensors", GOLDEN)),
  "chat.input_ids",
);
const prompt = { tokens: ids.slice(0, 30), height: 4, width: 4 };

/** The ratio of scales by which the device may round otherwise. */
const SAME_SCALE = EXACT ? 1 : 2 ** (1 / 8);

Deno.test("calibrateCache() returns the CPU's scales", async () => {
  await using runtime = await openDevice();
  await using host = new Runtime({ threads: 1 });
  const calibrated = (of: Runtime) =>
    calibrateCache(of, checkpoint, vocabulary, [prompt]);
  const flat = async (of: Runtime) =>
    (await calibrated(of)).flatMap(({ key, value }) => [...key, ...value]);
  const [actual, expected] = [await flat(runtime), await flat(host)];
  deepStrictEqual(actual.length, expected.length);
  for (const [i, scale] of actual.entries()) {
    const ratio = Math.max(scale / expected[i]!, expected[i]! / scale);
    ok(ratio <= SAME_SCALE * (1 + 1e-6), `${i}: ${scale}, ${expected[i]}`);
  }
});

if (DEVICE === "cuda") {
  Deno.test("step() and windows over a cache in int8 are close to those over bf16", async () => {
    await using runtime = await openDevice();
    const cacheScales = await calibrateCache(runtime, checkpoint, vocabulary, [
      prompt,
    ]);
    const run = async (cacheDtype: "bfloat16" | "int8") => {
      await using decoder = await openDeviceDecoder(runtime, {
        cacheDtype,
        cacheScales,
      });
      const states = [...await decoder.prefill(0, ids.slice(0, 40), 0)];
      for (const [tokens, position] of [[[5], 40], [[6, 7, 8], 41]] as const) {
        const row = { slot: 0, tokens: [...tokens], position };
        const [hidden] = await decoder.multiTokenStep([row]);
        states.push(...hidden!);
      }
      return states;
    };
    const worst = maxDifference(await run("int8"), await run("bfloat16"));
    ok(worst > 0 && worst < 0.3, `${worst}`);
  });
} else {
  Deno.test("a cache in int8 is refused, and the supported formats are named", async () => {
    await using runtime = await openDevice();
    await rejects(
      () =>
        openLanguageModel(runtime, checkpoint, {
          heads: ["codes"],
          slots: 2,
          cacheBytes: 2 ** 26,
          cacheDtype: "int8",
          chunkLength: 32,
          queueLimit: 4,
          now: () => performance.now(),
        }),
      /Cannot use a KV cache in int8 on webgpu: supported formats are fp32 or fp16/,
    );
  });
}
