import { deepStrictEqual } from "node:assert/strict";
import { conversionOf, RECIPES } from "../../../lib/quantization/recipe.ts";

const recipe = { bits: 4, headBits: 8, blockSize: 128 } as const;
const layer = { kind: "quantize", bits: 4, blockSize: 128 } as const;
const head = { kind: "quantize", bits: 8, blockSize: 128 } as const;
const copy = { kind: "copy" } as const;

Deno.test("conversionOf() recognizes linear layers and the head by the names of every layout", () => {
  for (const prefix of ["model.", "text_model.model.", "model.text_model."]) {
    for (
      const part of ["self_attn.q_proj", "self_attn.o_proj", "mlp.down_proj"]
    ) {
      const name = `${prefix}layers.31.${part}.weight`;
      const tensor = { name, dtype: "BF16", shape: [256, 512] };
      deepStrictEqual(conversionOf(tensor, recipe), layer, name);
    }
  }
  for (const name of ["lm_head.weight", "text_model.lm_head.weight"]) {
    const tensor = { name, dtype: "F32", shape: [256, 512] };
    deepStrictEqual(conversionOf(tensor, recipe), head, name);
  }
});

Deno.test("conversionOf() leaves norms, the vision tokenizer and integers unchanged", () => {
  const left = [
    ["model.norm.weight", "F32", [512]],
    ["model.layers.0.input_layernorm.weight", "F32", [512]],
    ["vqmodel.encoder.middle_block.attn_1.q_proj.weight", "F32", [64, 64]],
    ["model.vqmodel.layers.0.self_attn.q_proj.weight", "F32", [64, 64]],
    ["model.layers.0.mlp.up_proj.weight", "F8_E4M3", [64, 64]],
    // No block divides a row of 72 evenly.
    ["model.layers.0.mlp.up_proj.weight", "F32", [64, 72]],
  ] as const;
  for (const [name, dtype, shape] of left) {
    deepStrictEqual(conversionOf({ name, dtype, shape }, recipe), copy, name);
  }
});

Deno.test("conversionOf() keeps embeddings at 16 bits", () => {
  const name = "model.embed_tokens.weight";
  const of = (dtype: string) =>
    conversionOf({ name, dtype, shape: [64, 64] }, recipe);
  deepStrictEqual(of("BF16"), copy);
  deepStrictEqual(of("F16"), copy);
  deepStrictEqual(of("F32"), { kind: "halve" });
});

Deno.test("conversionOf() takes the greatest block that divides a row", () => {
  const name = "model.layers.0.mlp.down_proj.weight";
  const blockOf = (columns: number) => {
    const tensor = { name, dtype: "F32", shape: [8, columns] };
    const conversion = conversionOf(tensor, RECIPES.int4);
    return conversion.kind === "quantize" ? conversion.blockSize : undefined;
  };
  deepStrictEqual([14_336, 704, 96, 16].map(blockOf), [128, 64, 32, 16]);
});
