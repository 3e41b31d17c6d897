import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type LanguageConfig,
  parseLanguageConfig,
} from "../../models/config/language_config.ts";
import type { Arrangement } from "../../models/attention.ts";
import { decoderGraph, headGraph } from "../../models/decoder.ts";
import type { BuiltGraph } from "../../models/graph/built_graph.ts";
import { elementCount } from "../../models/graph/dtype.ts";
import { decodeModel } from "../support/decode_model.ts";
import { goldenJson } from "../support/golden.ts";
import { RecordedWeights } from "../support/recorded_weights.ts";

const tiny = parseLanguageConfig(
  goldenJson("checkpoints/emu3-tiny/config.json"),
);
const published = parseLanguageConfig(goldenJson("hub/Emu3-Gen/config.json"));
const fp32 = {
  computeDtype: "float32",
  cacheDtype: "float32",
  arrangement: { type: "step" },
} as const;

/** All arrangements of a decoder. */
const ARRANGEMENTS: readonly Arrangement[] = [
  { type: "step" },
  { type: "two_token" },
  { type: "multi_token", rows: 1, explicitPositions: false },
  { type: "multi_token", rows: 2, explicitPositions: true },
];

/** Returns the weights that decoder and head request from a checkpoint. */
function requestedBy(config: LanguageConfig): RecordedWeights {
  const weights = new RecordedWeights();
  decoderGraph(config, weights, { ...fp32, positions: 4 });
  const rows = { start: 0, count: config.vocabularySize };
  headGraph(config, weights, { ...fp32, rows });
  return weights;
}

Deno.test("decoderGraph() and headGraph() read the published model's 291 tensors, all 8,492,011,520 numbers of them", () => {
  const tensors = requestedBy(published).requested;
  strictEqual(tensors.size, 291);
  let parameters = 0;
  for (const { shape } of tensors.values()) parameters += elementCount(shape);
  strictEqual(parameters, 8_492_011_520);
});

Deno.test("decoderGraph() and headGraph() read every tensor of the index, and no other", () => {
  const { weight_map: map } = goldenJson<{
    "weight_map": Record<string, string>;
  }>("checkpoints/emu3-tiny/model.safetensors.index.json");
  deepStrictEqual(
    [...requestedBy(tiny).requested.keys()].sort(),
    Object.keys(map).sort(),
  );
});

Deno.test("decoderGraph() in parts reads every tensor once, and each part takes what the one before it returns", () => {
  const whole = new RecordedWeights();
  decoderGraph(tiny, whole, { ...fp32, positions: 4 });
  const read: string[] = [];
  const parts = [{ start: 0, end: 1 }, { start: 1, end: 2 }].map((layers) => {
    const weights = new RecordedWeights();
    const built = decoderGraph(tiny, weights, {
      ...fp32,
      positions: 4,
      layers,
    });
    read.push(...weights.requested.keys());
    const { inputs, outputs } = decodeModel(built.model);
    deepStrictEqual(built.inputs, inputs.map(({ name }) => name));
    deepStrictEqual(built.outputs, outputs.map(({ name }) => name));
    return built;
  });
  deepStrictEqual(read.sort(), [...whole.requested.keys()].sort());
  const [first, last] = parts as [BuiltGraph, BuiltGraph];
  const passed = first.outputs.filter((name) => last.inputs.includes(name));
  deepStrictEqual(passed, ["residual.1"]);
  ok(first.inputs.includes("input_ids") && !last.inputs.includes("input_ids"));
  ok(last.outputs.includes("hidden") && !first.outputs.includes("hidden"));
});

Deno.test("decoderGraph() returns the same bytes each time", () => {
  const build = () =>
    decoderGraph(tiny, new RecordedWeights(), { ...fp32, positions: 64 }).model;
  deepStrictEqual(build(), build());
});

Deno.test("decoderGraph() has a cache for every layer, in and out", () => {
  const { model } = decoderGraph(tiny, new RecordedWeights(), {
    ...fp32,
    positions: 64,
  });
  const { inputs, outputs } = decodeModel(model);
  const cache = ["B", 2, "T", 16];
  const ports = (prefix: string) =>
    [0, 1].flatMap((layer) =>
      ["key", "value"].map((part) => ({
        name: `${prefix}.${layer}.${part}`,
        elementType: 1,
        shape: cache,
      }))
    );
  const byName = <T extends { name: string }>(ports: readonly T[]) =>
    ports.toSorted((a, b) => a.name < b.name ? -1 : 1);
  deepStrictEqual(
    byName(inputs),
    byName([
      { name: "input_ids", elementType: 7, shape: ["B", "S"] },
      { name: "seqlens_k", elementType: 6, shape: ["B"] },
      { name: "total_sequence_length", elementType: 6, shape: [] },
      ...ports("past_key_values"),
    ]),
  );
  deepStrictEqual(
    byName(outputs),
    byName([
      { name: "hidden", elementType: 1, shape: ["B", "S", 64] },
      ...ports("present"),
    ]),
  );
});

for (const arrangement of ARRANGEMENTS) {
  Deno.test(`decoderGraph() orders operators by their inputs, and creates each result once: ${JSON.stringify(arrangement)}`, () => {
    const { model } = decoderGraph(tiny, new RecordedWeights("float16"), {
      ...fp32,
      cacheDtype: "float16",
      arrangement,
      positions: 8,
    });
    const { nodes, tensors, inputs, outputs } = decodeModel(model);
    const known = new Set([
      ...tensors.keys(),
      ...inputs.map(({ name }) => name),
    ]);
    for (const { name, inputs, outputs } of nodes) {
      for (const input of inputs) ok(input === "" || known.has(input), name);
      for (const output of outputs) {
        ok(!known.has(output), output);
        known.add(output);
      }
    }
    ok(outputs.every(({ name }) => known.has(name)));
  });
}

Deno.test("decoderGraph() rotates pairs by the reference's angles", () => {
  const positions = 200;
  const { model } = decoderGraph(tiny, new RecordedWeights(), {
    ...fp32,
    positions,
  });
  const tables = [...decodeModel(model).tensors.values()]
    .filter(({ bytes, shape }) => bytes.length > 0 && shape.length === 2);
  const [cos, sin] = tables.map(({ shape, bytes }) => {
    deepStrictEqual(shape, [positions, 8]);
    return new Float32Array(bytes.slice().buffer);
  });
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < 8; i++) {
      const angle = position * 1_000_000 ** (-2 * i / 16);
      const at = position * 8 + i;
      // Angles of up to 200 in fp32.
      ok(Math.abs(cos![at]! - Math.cos(angle)) < 2e-5, `${position} ${i}`);
      ok(Math.abs(sin![at]! - Math.sin(angle)) < 2e-5, `${position} ${i}`);
    }
  }
});

Deno.test("headGraph() scores the given rows, in place", () => {
  const weights = new RecordedWeights();
  const rows = { start: 1235, count: 512 };
  const { model } = headGraph(tiny, weights, { ...fp32, rows });
  const { tensors, outputs } = decodeModel(model);
  deepStrictEqual([...tensors.keys()], ["lm_head.weight[1235:1747]"]);
  const { external } = tensors.get("lm_head.weight[1235:1747]")!;
  strictEqual(external["offset"], String(1235 * 64 * 4));
  deepStrictEqual(outputs, [
    { name: "logits", elementType: 1, shape: ["B", 512] },
  ]);
});

Deno.test("headGraph() reads the embedding if the configuration ties them", () => {
  const weights = new RecordedWeights();
  const rows = { start: 0, count: 1747 };
  headGraph({ ...tiny, tiedEmbeddings: true }, weights, { ...fp32, rows });
  deepStrictEqual([...weights.requested.keys()], ["model.embed_tokens.weight"]);
});

Deno.test("headGraph() has fp32 inputs and outputs in any computing type", () => {
  const { model } = headGraph(tiny, new RecordedWeights("float16"), {
    computeDtype: "float16",
    rows: { start: 0, count: 4 },
  });
  const { inputs, outputs } = decodeModel(model);
  strictEqual(inputs[0]!.elementType, 1);
  strictEqual(outputs[0]!.elementType, 1);
});
