import { deepStrictEqual, ok } from "node:assert/strict";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { Graph } from "../../models/graph/graph.ts";
import { CausalAttention } from "../../models/tuning/causal_attention.ts";
import { decodeModel } from "../support/decode_model.ts";
import { goldenJson } from "../support/golden.ts";
import { NO_WEIGHTS } from "../support/graphs.ts";

const config = parseLanguageConfig(goldenJson("hub/Emu3-Gen/config.json"));

// CUDA has no Pad in bf16, and without a kernel ONNX Runtime refuses a graph.
Deno.test("Gradients of attention in blocks need no Pad", () => {
  const g = new Graph("backward", NO_WEIGHTS, { computeDtype: "bfloat16" });
  const rows = (name: string, heads: number) =>
    g.input(name, "bfloat16", ["S", heads * config.headSize]);
  const heads = {
    query: rows("query", config.heads),
    key: rows("key", config.keyValueHeads),
    value: rows("value", config.keyValueHeads),
  };
  const options = { blocks: 3, blockLength: 4 };
  const attention = new CausalAttention(g, config, options);
  attention.backward(
    heads,
    rows("attended", config.heads),
    rows("gradient", config.heads),
  );
  const { nodes } = decodeModel(g.build().model);
  ok(nodes.length > 50);
  deepStrictEqual(nodes.filter(({ operator }) => operator === "Pad"), []);
});
