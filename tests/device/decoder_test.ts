/**
 * The tests of a decoder on a device: it gives the reference's results for any
 * arrangement of tokens.
 *
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import type { DeviceDecoder } from "../../lib/decoder/device_decoder.ts";
import type { ComputeDtype } from "../../lib/runtime/provider.ts";
import { float32, int32, readSafetensors } from "../support/safetensors.ts";
import {
  GOLDEN,
  LANGUAGE_FOLDERS,
  maxDifference,
  tinyFolder,
} from "../support/tiny.ts";
import { DEVICE, EXACT, openDevice, openDeviceDecoder } from "./devices.ts";

const golden = readSafetensors(new URL("lm.safetensors", GOLDEN));
const SEQUENCES = ["text0", "text1", "gen_prefix", "chat"];
const CHAT = int32(golden, "chat.input_ids");

/** Tolerances of logits against the reference's, by dtype. */
const TOLERANCES: Readonly<Record<ComputeDtype, number>> = {
  float32: 1e-3,
  float16: 0.15,
  bfloat16: 2e-1,
};

/**
 * Tolerance for the same numbers in another order, hidden states of about 1.
 */
const SAME = EXACT ? 1e-4 : 5e-2;

const COMPUTED: readonly ComputeDtype[] = DEVICE === "cuda"
  ? ["bfloat16"]
  : ["float32", "float16"];

/** Splits `[S, E]` into S times `[E]`. */
function split(
  hidden: Float32Array<ArrayBuffer>,
  count: number,
): Float32Array<ArrayBuffer>[] {
  const width = hidden.length / count;
  return Array.from(
    { length: count },
    (_, i) => hidden.subarray(i * width, (i + 1) * width),
  );
}

async function logitsOf(
  decoder: DeviceDecoder,
  hidden: Float32Array<ArrayBuffer>,
  count: number,
): Promise<number[]> {
  const rows = await decoder.logits("vocabulary", split(hidden, count));
  return rows.flatMap((row) => [...row]);
}

for (const dtype of COMPUTED) {
  for (const name of LANGUAGE_FOLDERS) {
    Deno.test(`prefill() of ${name} in ${dtype} gives the reference's logits at every position`, async () => {
      await using runtime = await openDevice(dtype);
      const folder = tinyFolder(name);
      await using decoder = await openDeviceDecoder(runtime, { folder });
      for (const [slot, sequence] of SEQUENCES.entries()) {
        const ids = int32(golden, `${sequence}.input_ids`);
        const hidden = await decoder.prefill(slot, ids, 0);
        const worst = maxDifference(
          await logitsOf(decoder, hidden, ids.length),
          float32(golden, `${sequence}.logits`),
        );
        ok(worst < TOLERANCES[dtype], `${sequence}: ${worst}`);
      }
    });
  }
}

Deno.test("step() gives the reference's logits, four sequences at different positions", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const starts = [3, 9, 20, 40];
  const sequences = SEQUENCES.map((sequence, slot) => ({
    slot,
    ids: int32(golden, `${sequence}.input_ids`),
    logits: float32(golden, `${sequence}.logits`),
    start: starts[slot]!,
  }));
  for (const { slot, ids, start } of sequences) {
    await decoder.prefill(slot, ids.slice(0, start), 0);
  }
  for (let i = 0; i < 12; i++) {
    const active = sequences.filter(({ ids, start }) => start + i < ids.length);
    const hidden = await decoder.step(active.map(({ slot, ids, start }) => ({
      slot,
      tokens: [ids[start + i]!],
      position: start + i,
    })));
    const logits = await decoder.logits("vocabulary", hidden);
    for (const [row, { logits: expected, start }] of active.entries()) {
      const width = logits[row]!.length;
      const at = (start + i) * width;
      const worst = maxDifference(
        logits[row]!,
        expected.subarray(at, at + width),
      );
      const { computeDtype } = runtime.provider;
      ok(worst < TOLERANCES[computeDtype], `step ${i}, row ${row}: ${worst}`);
    }
  }
});

Deno.test("prefill() in chunks equals prefill() of the whole prompt", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const whole = await decoder.prefill(0, CHAT, 0);
  for (const chunkLength of [7, 32]) {
    const parts: number[] = [];
    for (let start = 0; start < CHAT.length; start += chunkLength) {
      const chunk = CHAT.slice(start, start + chunkLength);
      parts.push(...await decoder.prefill(2, chunk, start));
    }
    const worst = maxDifference(parts, whole);
    ok(worst < SAME, `chunks of ${chunkLength}: ${worst}`);
  }
});

Deno.test("step() gives a row of a batch the logits that it has alone, other slots unchanged", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const run = async (slots: readonly number[]) => {
    for (const slot of slots) {
      await decoder.prefill(slot, CHAT.slice(slot, 30 + 5 * slot), 0);
    }
    const results: number[] = [];
    for (let i = 0; i < 6; i++) {
      const hidden = await decoder.step(slots.map((slot) => ({
        slot,
        tokens: [5 + i + slot],
        position: 30 + 4 * slot + i,
      })));
      results.push(...hidden[slots.indexOf(1)]!);
    }
    for (const slot of slots) decoder.release(slot);
    return results;
  };
  const alone = await run([1]);
  for (const slots of [[0, 1, 2, 3], [1, 3], [0, 2, 1]]) {
    ok(maxDifference(await run(slots), alone) < SAME);
  }
});

Deno.test("step() gives more rows than fit into one run the logits that they have alone", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime, { slots: 9 });
  const slots = Array.from({ length: 9 }, (_, slot) => slot);
  for (const slot of slots) {
    await decoder.prefill(slot, CHAT.slice(0, 3 + slot), 0);
  }
  const feed = (slot: number) => ({ slot, tokens: [7], position: 3 + slot });
  const together = await decoder.step(slots.map(feed));
  for (const slot of slots) {
    const [alone] = await decoder.step([feed(slot)]);
    ok(maxDifference(together[slot]!, alone!) < SAME);
  }
});

Deno.test("step() with two tokens gives the logits of two steps", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const feed = (slot: number, tokens: number[], more = 0) => ({
    slot,
    tokens,
    position: 30 + slot + more,
  });
  const begin = async () => {
    for (const slot of [0, 1, 2]) {
      await decoder.prefill(slot, CHAT.slice(0, 30 + slot), 0);
    }
  };
  await begin();
  const first = await decoder.step([feed(0, [9]), feed(1, [10])]);
  const [second] = await decoder.step([feed(1, [12], 1)]);
  const after = [feed(0, [7], 1), feed(1, [7], 2)];
  const next = await decoder.step(after);
  await begin();
  const together = await decoder.step([feed(0, [9]), feed(1, [10, 12])]);
  ok(maxDifference(together[0]!, first[0]!) < SAME);
  ok(maxDifference(together[1]!, second!) < SAME);
  const afterwards = await decoder.step(after);
  for (const row of [0, 1]) {
    ok(maxDifference(afterwards[row]!, next[row]!) < SAME);
  }
});

Deno.test("wide() gives the logits of steps, in order and at given positions", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const tokens = [8, 3, 5, 9];
  const slots = [0, 3, 1];
  const prompt = (slot: number) => CHAT.slice(slot, 20 + 5 * slot);
  const begin = async () => {
    for (const slot of slots) await decoder.prefill(slot, prompt(slot), 0);
  };
  await begin();
  const stepped = slots.map((): number[] => []);
  for (const [i, token] of tokens.entries()) {
    const hidden = await decoder.step(slots.map((slot) => ({
      slot,
      tokens: [token],
      position: prompt(slot).length + i,
    })));
    hidden.forEach((state, row) => stepped[row]!.push(...state));
  }
  await begin();
  const rows = slots.map((slot) => ({
    slot,
    tokens,
    position: prompt(slot).length,
  }));
  const wide = await decoder.multiTokenStep(rows);
  wide.forEach((hidden, row) =>
    ok(maxDifference(hidden, stepped[row]!) < SAME)
  );
  const explicit = await decoder.multiTokenStep(rows.map((row) => ({
    ...row,
    positionIds: Int32Array.from(
      { length: row.position + tokens.length },
      (_, i) => i,
    ),
  })));
  explicit.forEach((hidden, row) =>
    ok(maxDifference(hidden, stepped[row]!) < SAME)
  );
});

Deno.test("Decoder continues a snapshot, a moved slot and a grown slot like the first", async () => {
  await using runtime = await openDevice();
  await using decoder = await openDeviceDecoder(runtime);
  const ids = CHAT.slice(0, 30);
  const next = async (slot: number, position: number) =>
    (await decoder.step([{ slot, tokens: [5], position }]))[0]!;
  await decoder.prefill(0, ids, 0);
  const snapshot = await decoder.save(0, 30);
  const expected = await next(0, 30);
  await decoder.restore(2, snapshot, 30);
  deepStrictEqual(await next(2, 30), expected);
  await decoder.move(2, 1);
  deepStrictEqual(await next(1, 30), expected);
  decoder.trim(1);
  await decoder.prefill(3, ids.slice(0, 12), 0);
  const shorter = await next(3, 12);
  await decoder.restore(2, snapshot, 12);
  ok(maxDifference(await next(2, 12), shorter) < SAME);
  // Beyond the block of the slot: its tensors are replaced.
  await decoder.prefill(2, ids.slice(12), 12);
  ok(maxDifference(await next(2, 30), expected) < SAME);
  decoder.discard(snapshot);
});
