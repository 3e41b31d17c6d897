import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { decoderGraph } from "../../models/decoder.ts";
import type { Dtype } from "../../models/graph/dtype.ts";
import type { Arrangement } from "../../models/attention.ts";
import type { Weights } from "../../models/graph/weights.ts";
import { decodeModel } from "../support/decode_model.ts";

const config = parseLanguageConfig({
  "vocab_size": 20,
  "hidden_size": 8,
  "intermediate_size": 12,
  "num_hidden_layers": 2,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
});
const weights: Weights = {
  find: (key, shape) => ({
    dtype: "float32",
    shape,
    location: key,
    offset: 0,
    length: 4,
  }),
  findQuantized: () => undefined,
};
const QUERY = "model.layers.1.self_attn.q_proj";

function built(
  type: "step" | "two_token",
  ranks: ReadonlyMap<string, number> | undefined,
  computeDtype: Dtype = "float32",
  masked = false,
) {
  const arrangement: Arrangement = { type };
  return decoderGraph(config, weights, {
    computeDtype,
    positions: 4,
    cacheDtype: computeDtype,
    arrangement,
    supplied: true,
    ...(ranks !== undefined && { adapters: { count: 3, ranks, masked } }),
  }).model;
}

Deno.test("decoderGraph() with adapters of no matrix adds inputs of rows only", () => {
  const without = decodeModel(built("step", undefined));
  const none = decodeModel(built("step", new Map()));
  deepStrictEqual(none.nodes, without.nodes);
  const names = (inputs: readonly { readonly name: string }[]) =>
    inputs.map(({ name }) => name);
  deepStrictEqual(
    names(none.inputs).filter((name) => !names(without.inputs).includes(name)),
    ["adapter_index", "adapter_used"],
  );
});

Deno.test("decoderGraph() declares the stacks of adapted matrices alone", () => {
  for (const type of ["step", "two_token"] as const) {
    const { inputs, nodes } = decodeModel(built(type, new Map([[QUERY, 4]])));
    const stacks = inputs.filter(({ name }) => name.includes("lora_"));
    deepStrictEqual(
      stacks.map(({ name, shape }) => [name, shape]),
      [[`${QUERY}.lora_A`, [3, 4, 8]], [`${QUERY}.lora_B`, [3, 4, 8]]],
    );
    const selects = nodes.filter(({ operator }) => operator === "Where");
    strictEqual(selects.length, 1);
  }
});

Deno.test("decoderGraph() masks the products of all adapters in steps", () => {
  const ranks = new Map([[QUERY, 4]]);
  for (const type of ["step", "two_token"] as const) {
    const { inputs, tensors, nodes } = decodeModel(
      built(type, ranks, "float32", true),
    );
    const mask = inputs.find(({ name }) => name === "adapter_mask.4");
    deepStrictEqual(mask?.shape, type === "step" ? ["B", 1, 12] : ["N", 12]);
    ok(inputs.every(({ name }) => !name.includes("lora_")));
    deepStrictEqual(tensors.get(`${QUERY}.lora_A`)?.shape, [12, 8]);
    deepStrictEqual(tensors.get(`${QUERY}.lora_B`)?.shape, [12, 8]);
    const gathers = nodes.filter(({ inputs }) =>
      inputs.includes("adapter_index")
    );
    deepStrictEqual(gathers, []);
  }
});

Deno.test("decoderGraph() masks by a product in bf16, which has no selection everywhere", () => {
  const ranks = new Map([[QUERY, 4]]);
  const { nodes } = decodeModel(built("step", ranks, "bfloat16"));
  ok(nodes.every(({ operator }) => operator !== "Where"));
});
