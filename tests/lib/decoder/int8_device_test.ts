/**
 * An int8 KV cache in a device's memory, with the CPU as the device.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { calibrateCache } from "../../../lib/calibration/calibrate_cache.ts";
import { DeviceDecoder } from "../../../lib/decoder/device_decoder.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import {
  type CacheDtype,
  CPU_PROVIDER,
} from "../../../lib/runtime/provider.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import type { CacheScales } from "../../../models/cache_scales.ts";
import { maxDifference, tinyFolder } from "../../support/tiny.ts";

const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
const ids = Int32Array.from({ length: 40 }, (_, i) => 5 + i);
const prompt = { tokens: ids.slice(0, 12), height: 4, width: 4 };
const provider = { ...CPU_PROVIDER, deviceMemory: "Cpu" };

/** Opens a decoder whose slots grow by 16 tokens. */
async function open(
  runtime: Runtime,
  cacheDtype: CacheDtype,
  cacheScales?: CacheScales,
): Promise<DeviceDecoder> {
  return await DeviceDecoder.open(runtime, checkpoint, vocabulary, {
    slots: 3,
    contextLength: 64,
    chunkLength: 64,
    heads: ["codes"],
    block: 16,
    cacheDtype,
    cacheScales,
  });
}

Deno.test("calibrateCache() returns the scales of the host's memory on a device", async () => {
  await using host = new Runtime({ threads: 1 });
  await using device = await Runtime.open({ threads: 1, provider });
  deepStrictEqual(
    await calibrateCache(device, checkpoint, vocabulary, [prompt]),
    await calibrateCache(host, checkpoint, vocabulary, [prompt]),
  );
});

Deno.test("a slot in int8 on a device grows, is saved and restored without changing a bit, close to floats", async () => {
  await using runtime = await Runtime.open({ threads: 1, provider });
  const scales = await calibrateCache(runtime, checkpoint, vocabulary, [
    prompt,
  ]);
  await using int8 = await open(runtime, "int8", scales);
  await using floats = await open(runtime, "float32");
  const run = async (decoder: DeviceDecoder) => {
    await decoder.prefill(0, ids.slice(0, 15), 0);
    const snapshot = await decoder.save(0, 15);
    await decoder.restore(1, snapshot, 15);
    decoder.discard(snapshot);
    const results: number[][] = [[], []];
    for (let position = 15; position < 34; position++) {
      for (const slot of [0, 1]) {
        const row = { slot, tokens: [ids[position]!], position };
        const [hidden] = await decoder.multiTokenStep([row]);
        results[slot]!.push(...hidden!);
      }
    }
    deepStrictEqual(results[1], results[0]);
    return results[0]!;
  };
  const worst = maxDifference(await run(int8), await run(floats));
  ok(worst > 0 && worst < 0.25, `${worst}`);
});
