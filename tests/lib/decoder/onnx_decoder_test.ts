import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { OnnxDecoder } from "../../../lib/decoder/onnx_decoder.ts";
import type { CacheDtype } from "../../../lib/runtime/provider.ts";
import { openLanguageCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../../lib/loading/text_files.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { trace } from "../../../lib/trace.ts";
import { decoderGraph } from "../../../models/decoder.ts";
import { float32, int32, readSafetensors } from "../../support/safetensors.ts";
import {
  GOLDEN,
  LANGUAGE_FOLDERS,
  maxDifference,
  tinyFolder,
} from "../../support/tiny.ts";

const golden = readSafetensors(new URL("lm.safetensors", GOLDEN));
const SEQUENCES = ["text0", "text1", "gen_prefix", "chat"];

/** The tolerance of fp32 against fp32 in other kernels. */
const LOGIT_TOLERANCE = 1e-3;

async function openDecoder(
  runtime: Runtime,
  name: string,
  cacheDtype: CacheDtype = "float32",
): Promise<OnnxDecoder> {
  const checkpoint = await openLanguageCheckpoint(tinyFolder(name));
  const { text, vocabulary } = await openTextSide(checkpoint);
  text[Symbol.dispose]();
  return await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
    slots: 4,
    contextLength: 128,
    chunkLength: 128,
    heads: ["codes", "vocabulary"],
    cacheDtype,
  });
}

/** Returns `[S, E]` as S times `[E]`. */
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

function flat(rows: readonly Float32Array[]): number[] {
  return rows.flatMap((row) => [...row]);
}

for (const name of LANGUAGE_FOLDERS) {
  Deno.test(`prefill() of ${name} returns the reference's logits at every position`, async () => {
    await using runtime = new Runtime({ threads: 1 });
    await using decoder = await openDecoder(runtime, name);
    for (const [slot, sequence] of SEQUENCES.entries()) {
      const ids = int32(golden, `${sequence}.input_ids`);
      const hidden = await decoder.prefill(slot, ids, 0);
      const logits = await decoder.logits(
        "vocabulary",
        split(hidden, ids.length),
      );
      const worst = maxDifference(
        flat(logits),
        float32(golden, `${sequence}.logits`),
      );
      ok(worst < LOGIT_TOLERANCE, `${sequence}: ${worst}`);
    }
  });

  Deno.test(`step() of ${name} returns the reference's logits for four sequences at different positions`, async () => {
    await using runtime = new Runtime({ threads: 1 });
    await using decoder = await openDecoder(runtime, name);
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
      const active = sequences.filter(({ ids, start }) =>
        start + i < ids.length
      );
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
        ok(worst < LOGIT_TOLERANCE, `step ${i}, row ${row}: ${worst}`);
      }
    }
  });
}

Deno.test("prefill() in chunks returns the hidden states of the whole prompt", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "chat.input_ids");
  const whole = await decoder.prefill(0, ids, 0);
  for (const chunkLength of [1, 7, 32]) {
    const parts: number[] = [];
    for (let start = 0; start < ids.length; start += chunkLength) {
      const chunk = ids.slice(start, start + chunkLength);
      parts.push(...await decoder.prefill(2, chunk, start));
    }
    const worst = maxDifference(parts, whole);
    ok(worst < 1e-4, `chunks of ${chunkLength}: ${worst}`);
  }
});

Deno.test("OnnxDecoder returns bit-identical rows in any batch", async () => {
  await using runtime = new Runtime({ threads: 2 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "chat.input_ids");
  const run = async (slots: readonly number[]) => {
    for (const slot of slots) {
      await decoder.prefill(slot, ids.slice(slot, 30 + 5 * slot), 0);
    }
    const results: number[] = [];
    for (let i = 0; i < 6; i++) {
      const hidden = await decoder.step(slots.map((slot) => ({
        slot,
        tokens: [5 + i + slot],
        position: 30 + 4 * slot + i,
      })));
      const logits = await decoder.logits("codes", hidden);
      results.push(...logits[slots.indexOf(1)]!);
    }
    for (const slot of slots) decoder.release(slot);
    return results;
  };
  const alone = await run([1]);
  deepStrictEqual(await run([0, 1, 2, 3]), alone);
  deepStrictEqual(await run([1, 3]), alone);
});

Deno.test("step() does not change the contents of other slots", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "text1.input_ids");
  const feed = { slot: 1, tokens: [ids[20]!], position: 20 };
  await decoder.prefill(1, ids.slice(0, 20), 0);
  const undisturbed = (await decoder.step([feed]))[0]!.slice();
  decoder.release(1);
  await decoder.prefill(1, ids.slice(0, 20), 0);
  await decoder.prefill(3, ids, 0);
  for (let i = 0; i < 3; i++) {
    await decoder.step([{ slot: 3, tokens: [1], position: ids.length + i }]);
  }
  deepStrictEqual((await decoder.step([feed]))[0]!, undisturbed);
});

Deno.test("step() of two tokens is bit-identical to two steps", async () => {
  await using runtime = new Runtime({ threads: 2 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "chat.input_ids");
  const start = (slot: number) => 30 + 5 * slot;
  const begin = async () => {
    for (const slot of [0, 1, 2]) {
      decoder.release(slot);
      await decoder.prefill(slot, ids.slice(slot, start(slot) + slot), 0);
    }
  };
  const feed = (slot: number, tokens: number[], more = 0) => ({
    slot,
    tokens,
    position: start(slot) + more,
  });
  await begin();
  const [first, , third] = (await decoder.step([
    feed(0, [9]),
    feed(1, [10]),
    feed(2, [11]),
  ])).map((state) => state.slice());
  const [second] = (await decoder.step([feed(1, [12], 1)]))
    .map((state) => state.slice());
  const after = [feed(0, [7], 1), feed(1, [7], 2), feed(2, [7], 1)];
  const next = (await decoder.step(after)).map((state) => [...state]);
  await begin();
  const together = await decoder.step([
    feed(0, [9]),
    feed(1, [10, 12]),
    feed(2, [11]),
  ]);
  deepStrictEqual(together[0], first);
  deepStrictEqual(together[1], second);
  deepStrictEqual(together[2], third);
  const afterwards = await decoder.step(after);
  deepStrictEqual(afterwards.map((state) => [...state]), next);
});

for (const slots of [[2], [0, 3]]) {
  Deno.test(`multiTokenStep() of ${slots.length} rows equals single steps`, async () => {
    await using runtime = new Runtime({ threads: 1 });
    await using decoder = await openDecoder(runtime, "emu3-tiny");
    const ids = int32(golden, "chat.input_ids");
    const prompt = (slot: number) => ids.slice(slot, 20 + 5 * slot);
    const tokens = [8, 3, 5, 9];
    const stepped = slots.map((): number[] => []);
    for (const slot of slots) await decoder.prefill(slot, prompt(slot), 0);
    for (const [i, token] of tokens.entries()) {
      const hidden = await decoder.step(slots.map((slot) => ({
        slot,
        tokens: [token],
        position: prompt(slot).length + i,
      })));
      hidden.forEach((state, row) => stepped[row]!.push(...state));
    }
    for (const slot of slots) await decoder.prefill(slot, prompt(slot), 0);
    const rows = slots.map((slot) => ({
      slot,
      tokens,
      position: prompt(slot).length,
    }));
    const wide = await decoder.multiTokenStep(rows);
    wide.forEach((hidden, row) =>
      ok(maxDifference(hidden, stepped[row]!) < 1e-4)
    );
    // The same positions, given explicitly, use the other graph.
    const explicit = await decoder.multiTokenStep(rows.map((row) => ({
      ...row,
      positionIds: Int32Array.from(
        { length: row.position + tokens.length },
        (_, i) => i,
      ),
    })));
    explicit.forEach((hidden, row) =>
      ok(maxDifference(hidden, stepped[row]!) < 1e-4)
    );
  });
}

Deno.test("multiTokenStep() lets a token attend to smaller position ids, in any order of appending", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "chat.input_ids").slice(0, 20);
  const inOrder = [8, 3, 5, 9, 6];
  await decoder.prefill(0, ids, 0);
  const [expected] = await decoder.multiTokenStep([
    { slot: 0, tokens: inOrder, position: 20 },
  ]);
  // The fourth token is appended first, without the third, and does not attend
  // to it.
  await decoder.prefill(1, ids, 0);
  const positionIds = Int32Array.from([...ids.keys(), 20, 21, 23, 22, 24]);
  const held = (count: number) => positionIds.subarray(0, count);
  await decoder.multiTokenStep([
    { slot: 1, tokens: [8, 3, 9], position: 20, positionIds: held(23) },
  ]);
  const [hidden] = await decoder.multiTokenStep([
    { slot: 1, tokens: [5, 6], position: 23, positionIds: held(25) },
  ]);
  const width = hidden!.length / 2;
  const third = expected!.subarray(2 * width, 3 * width);
  ok(maxDifference(hidden!.subarray(0, width), third) < 1e-4);
  // Later tokens attend to all; the fourth had not attended to the third.
  const last = expected!.subarray(4 * width);
  ok(maxDifference(hidden!.subarray(width), last) > 1e-3);
  await rejects(
    decoder.multiTokenStep([{
      slot: 1,
      tokens: [5, 6],
      position: 20,
      positionIds: Int32Array.from([...ids.keys(), 23, 22]),
    }]),
    RangeError,
  );
});

Deno.test("OnnxDecoder continues a snapshot, a copy and a moved slot bit-identically", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "chat.input_ids").slice(0, 30);
  const next = async (
    slot: number,
    position: number,
  ) => [...(await decoder.step([{ slot, tokens: [5], position }]))[0]!];
  await decoder.prefill(0, ids, 0);
  const snapshot = await decoder.save(0, 30);
  const expected = await next(0, 30);
  await decoder.restore(2, snapshot, 30);
  deepStrictEqual(await next(2, 30), expected);
  await decoder.move(2, 1, 30);
  decoder.trim(2);
  deepStrictEqual(await next(1, 30), expected);
  // A shorter beginning of the same snapshot.
  await decoder.prefill(3, ids.slice(0, 12), 0);
  const shorter = await next(3, 12);
  await decoder.restore(2, snapshot, 12);
  deepStrictEqual(await next(2, 12), shorter);
});

Deno.test("OnnxDecoder with a cache in half floats returns close logits", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using single = await openDecoder(runtime, "emu3-tiny");
  await using half = await openDecoder(runtime, "emu3-tiny", "float16");
  const ids = int32(golden, "chat.input_ids").slice(0, 30);
  const run = async (decoder: OnnxDecoder) => {
    const prompt = [...await decoder.prefill(1, ids, 0)];
    const step = [
      ...(await decoder.step([{ slot: 1, tokens: [5, 6], position: 30 }]))[0]!,
    ];
    const wide = [
      ...(await decoder.multiTokenStep([{
        slot: 1,
        tokens: [5, 6, 7],
        position: 30,
        positionIds: Int32Array.from({ length: 33 }, (_, i) => i),
      }]))[0]!,
    ];
    return [...prompt, ...step, ...wide];
  };
  const [expected, actual] = [await run(single), await run(half)];
  const worst = maxDifference(actual, expected);
  ok(worst > 0 && worst < 2e-2, `${worst}`);
});

Deno.test("logits() of codes are the codes' part of those of the vocabulary", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  const ids = int32(golden, "gen_prefix.input_ids");
  const hidden = split(await decoder.prefill(0, ids, 0), ids.length);
  const [whole] = await decoder.logits("vocabulary", hidden.slice(-1));
  const expected = whole!.slice(1235, 1235 + 512);
  const [codes] = await decoder.logits("codes", hidden.slice(-1));
  ok(maxDifference(codes!, expected) < 1e-5);
});

Deno.test("prefill() refuses more tokens than a slot holds", async () => {
  await using runtime = new Runtime({ threads: 1 });
  await using decoder = await openDecoder(runtime, "emu3-tiny");
  await rejects(decoder.prefill(0, new Int32Array(100), 29), RangeError);
});

Deno.test("trace() returns every layer's output", async () => {
  await using runtime = new Runtime({ threads: 1 });
  const { config, weights, weightFolder } = await openLanguageCheckpoint(
    tinyFolder("emu3-tiny"),
  );
  const graph = decoderGraph(config, weights, {
    computeDtype: "float32",
    cacheDtype: "float32",
    arrangement: { type: "step" },
    positions: 32,
    trace: true,
  });
  using stack = new DisposableStack();
  const tensor = (
    data: Parameters<Runtime["tensor"]>[0],
    shape: readonly number[],
  ) => stack.use(runtime.tensor(data, shape));
  const cacheShape = [1, config.keyValueHeads, 32, config.headSize];
  const cache = () => tensor(new Float32Array(2 * 32 * 16), cacheShape);
  const inside = await trace(runtime, graph, weightFolder, {
    "input_ids": tensor(BigInt64Array.of(1n, 2n, 3n), [1, 3]),
    "seqlens_k": tensor(Int32Array.of(2), [1]),
    "total_sequence_length": tensor(Int32Array.of(3), []),
    "past_key_values.0.key": cache(),
    "past_key_values.0.value": cache(),
    "past_key_values.1.key": cache(),
    "past_key_values.1.value": cache(),
  });
  deepStrictEqual([...inside.keys()], [
    "model.layers.0.output",
    "model.layers.1.output",
  ]);
  deepStrictEqual(inside.get("model.layers.1.output")!.shape, [1, 3, 64]);
});
