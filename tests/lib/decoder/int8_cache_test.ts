/**
 * The laws of a decoder whose keys and values are stored in int8.
 */

import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { calibrateCache } from "../../../lib/calibration/calibrate_cache.ts";
import type { Decoder } from "../../../lib/decoder/decoder.ts";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { decoderGraph } from "../../../models/decoder.ts";
import { int32, readSafetensors } from "../../support/safetensors.ts";
import { GOLDEN, maxDifference, tinyFolder } from "../../support/tiny.ts";

const ids = int32(
  readSafetensors(new URL("lm.safetensors", GOLDEN)),
  "chat.input_ids",
);
const checkpoint = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
const { text, vocabulary } = await openTextSide(checkpoint);
text[Symbol.dispose]();
const prompt = { tokens: ids.slice(0, 30), height: 4, width: 4 };

async function calibrated(runtime: Runtime) {
  return await calibrateCache(runtime, checkpoint, vocabulary, [prompt]);
}

async function openInt8(runtime: Runtime): Promise<OnnxDecoder> {
  return await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
    slots: 4,
    contextLength: 128,
    chunkLength: 128,
    heads: ["codes"],
    cacheDtype: "int8",
    cacheScales: await calibrated(runtime),
  });
}

async function openSingle(runtime: Runtime): Promise<OnnxDecoder> {
  return await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
    slots: 4,
    contextLength: 128,
    chunkLength: 128,
    heads: ["codes"],
    cacheDtype: "float32",
  });
}

async function next(
  decoder: Pick<Decoder, "step">,
  slot: number,
  position: number,
): Promise<number[]> {
  const [hidden] = await decoder.step([{ slot, tokens: [5], position }]);
  return [...hidden!];
}

Deno.test("a decoder with a cache in int8 returns close hidden states in every arrangement", async () => {
  await using runtime = new Runtime({ threads: 1 });
  const run = async (decoder: OnnxDecoder) => {
    const prefilled = [...await decoder.prefill(1, ids.slice(0, 30), 0)];
    const feed = { slot: 1, tokens: [5, 6], position: 30 };
    const [two] = await decoder.step([feed]);
    const step = [...two!];
    const rows = [0, 1].map((slot) => ({
      slot,
      tokens: [5, 6, 7],
      position: 30,
    }));
    await decoder.prefill(0, ids.slice(0, 30), 0);
    const wide = (await decoder.multiTokenStep(rows)).flatMap((x) => [...x]);
    const positionIds = Int32Array.from({ length: 33 }, (_, i) => i);
    const explicit = await decoder.multiTokenStep(
      rows.map((row) => ({ ...row, positionIds })),
    );
    return [...prefilled, ...step, ...wide, ...explicit.flatMap((x) => [...x])];
  };
  await using single = await openSingle(runtime);
  await using int8 = await openInt8(runtime);
  const worst = maxDifference(await run(int8), await run(single));
  ok(worst > 0 && worst < 0.25, `${worst}`);
});

Deno.test("a prompt in any chunks, and its tokens as steps, give the same hidden states over a cache in int8", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openInt8(runtime);
  const whole = await decoder.prefill(0, ids, 0);
  for (const chunkLength of [1, 7, 32]) {
    const parts: number[] = [];
    for (let start = 0; start < ids.length; start += chunkLength) {
      const chunk = ids.slice(start, start + chunkLength);
      parts.push(...await decoder.prefill(2, chunk, start));
    }
    const worst = maxDifference(parts, whole);
    ok(worst < 2e-2, `chunks of ${chunkLength}: ${worst}`);
  }
});

Deno.test("a prompt stores the same codes by attention over floats as by that over codes", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openInt8(runtime);
  // Chunks of a few tokens are attended to as codes, larger ones as floats.
  await decoder.prefill(0, ids.slice(0, 48), 0);
  for (let start = 0; start < 48; start += 8) {
    await decoder.prefill(1, ids.slice(start, start + 8), start);
  }
  const [floats, codes] = [
    await decoder.save(0, 48),
    await decoder.save(1, 48),
  ];
  const flat = ({ parts }: typeof floats) =>
    parts.flatMap((part) => [...new Int8Array(part.buffer)]);
  const [expected, actual] = [flat(codes), flat(floats)];
  const other = actual.filter((code, i) => code !== expected[i]).length;
  // A number between two codes may be rounded to either.
  ok(maxDifference(actual, expected) <= 1);
  ok(other <= actual.length / 1000, `${other} of ${actual.length}`);
});

Deno.test("rows over a cache in int8 are bit-identical in any batch", async () => {
  await using runtime = new Runtime({ threads: 2 });
  await using decoder = await openInt8(runtime);
  const run = async (slots: readonly number[]) => {
    for (const slot of slots) {
      await decoder.prefill(slot, ids.slice(slot, 30 + 5 * slot), 0);
    }
    const results: number[] = [];
    for (let i = 0; i < 6; i++) {
      // The second step has two tokens in some rows.
      const hidden = await decoder.step(slots.map((slot) => ({
        slot,
        tokens: i === 1 ? [9, 12] : [5 + i],
        position: 30 + 4 * slot + i + (i > 1 ? 1 : 0),
      })));
      results.push(...hidden[slots.indexOf(1)]!);
    }
    for (const slot of slots) decoder.release(slot);
    return results;
  };
  const alone = await run([1]);
  deepStrictEqual(await run([0, 1, 2, 3]), alone);
  deepStrictEqual(await run([1, 3]), alone);
});

Deno.test("a snapshot, a copy and a moved slot of a cache in int8 continue bit-identically, and take a quarter of the bytes", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openInt8(runtime);
  await using single = await openSingle(runtime);
  const some = ids.slice(0, 30);
  await decoder.prefill(0, some, 0);
  await single.prefill(0, some, 0);
  const snapshot = await decoder.save(0, 30);
  const bytes = ({ parts }: typeof snapshot) =>
    parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  deepStrictEqual(4 * bytes(snapshot), bytes(await single.save(0, 30)));
  const expected = await next(decoder, 0, 30);
  await decoder.restore(2, snapshot, 30);
  deepStrictEqual(await next(decoder, 2, 30), expected);
  await decoder.move(2, 1, 30);
  decoder.trim(2);
  deepStrictEqual(await next(decoder, 1, 30), expected);
});

Deno.test("calibrateCache() returns the same positive scales each time, equal for both channels of a rotation", async () => {
  await using runtime = new Runtime({ threads: 1 });
  const scales = await calibrated(runtime);
  deepStrictEqual(await calibrated(runtime), scales);
  const { layers, headSize } = checkpoint.config;
  deepStrictEqual(scales.length, layers);
  for (const { key, value } of scales) {
    ok(
      [...key, ...value].every((scale) => scale > 0 && Number.isFinite(scale)),
    );
    for (const [i, scale] of key.entries()) {
      const half = headSize / 2;
      if (i % headSize < half) deepStrictEqual(key[i + half], scale);
    }
  }
});

Deno.test("decoderGraph() refuses an int8 cache without the scales of its model", () => {
  const { config, weights } = checkpoint;
  for (const cacheScales of [undefined, []]) {
    throws(
      () =>
        decoderGraph(config, weights, {
          computeDtype: "float32",
          cacheDtype: "int8",
          cacheScales,
          arrangement: { type: "step" },
          positions: 32,
        }),
      /Cannot scale the KV cache: expected 2 layers of \d+ scales/,
    );
  }
});
