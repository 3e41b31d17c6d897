import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseAdapterConfig } from "../../../models/config/adapter_config.ts";

const LORA = {
  "peft_type": "LORA",
  "r": 8,
  "lora_alpha": 16,
  "target_modules": ["q_proj", "mlp.down_proj"],
};
const Q0 = "model.layers.0.self_attn.q_proj";
const Q1 = "model.layers.1.self_attn.q_proj";
const DOWN = "model.layers.1.mlp.down_proj";
const UP = "model.layers.1.mlp.up_proj";

Deno.test("parseAdapterConfig() reads rank, scale and targets", () => {
  const config = parseAdapterConfig({
    ...LORA,
    "base_model_name_or_path": "BAAI/Emu3-Gen",
  });
  strictEqual(config.baseModel, "BAAI/Emu3-Gen");
  strictEqual(config.savesHead, false);
  deepStrictEqual([Q0, DOWN, UP].map(config.targets), [true, true, false]);
  deepStrictEqual([config.rankOf(Q0), config.scaleOf(Q0)], [8, 2]);
});

Deno.test("parseAdapterConfig() divides alpha by the root of the rank for rsLoRA", () => {
  const config = parseAdapterConfig({ ...LORA, "r": 16, "use_rslora": true });
  strictEqual(config.scaleOf(Q0), 4);
});

Deno.test("parseAdapterConfig() reads ranks and alphas of single modules", () => {
  const config = parseAdapterConfig({
    ...LORA,
    "rank_pattern": { "layers\\.1\\..*q_proj": 4, "down_proj": 2 },
    "alpha_pattern": { "q_proj": 32 },
  });
  deepStrictEqual([Q0, Q1, DOWN].map(config.rankOf), [8, 4, 2]);
  deepStrictEqual([Q0, Q1, DOWN].map(config.scaleOf), [4, 8, 8]);
});

Deno.test("parseAdapterConfig() reads targets as a regular expression of whole names", () => {
  const config = parseAdapterConfig({
    ...LORA,
    "target_modules": ".*layers\\.(?P<layer>1)\\..*_proj",
  });
  deepStrictEqual([Q0, Q1, DOWN].map(config.targets), [false, true, true]);
  const all = parseAdapterConfig({ ...LORA, "target_modules": "all-linear" });
  deepStrictEqual([Q0, UP].map(all.targets), [true, true]);
});

Deno.test("parseAdapterConfig() leaves out excluded modules and other layers", () => {
  const excluded = parseAdapterConfig({
    ...LORA,
    "exclude_modules": [Q1],
  });
  deepStrictEqual([Q0, Q1].map(excluded.targets), [true, false]);
  for (const pattern of [{}, { "layers_pattern": "layers" }]) {
    const config = parseAdapterConfig({
      ...LORA,
      "layers_to_transform": [1],
      ...pattern,
    });
    deepStrictEqual([Q0, Q1, DOWN].map(config.targets), [false, true, true]);
  }
});

Deno.test("parseAdapterConfig() accepts a head, and starts that leave the base as it is", () => {
  for (const start of [true, false, "gaussian", "eva", "orthogonal"]) {
    const config = parseAdapterConfig({
      ...LORA,
      "modules_to_save": ["lm_head"],
      "init_lora_weights": start,
    });
    strictEqual(config.savesHead, true);
  }
});

Deno.test("parseAdapterConfig() names the field of a variant that it refuses", () => {
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["peft_type", "IA3", /"peft_type": "IA3" is not supported/],
    ["use_dora", true, /"use_dora": DoRA is not supported/],
    ["bias", "all", /"bias": "all" is not supported/],
    ["lora_bias", true, /"lora_bias"/],
    ["modules_to_save", ["embed_tokens"], /"embed_tokens" is not supported/],
    ["init_lora_weights", "pissa_niter_4", /changes the base model/],
    ["trainable_token_indices", [1], /tuned embeddings/],
    ["layer_replication", [[0, 1]], /replicated layers/],
    ["target_modules", "(unclosed", /not a supported regular expression/],
    ["rank_pattern", { "(?i)q": 4, "(": 4 }, /"rank_pattern"/],
    ["r", 0, /"r"/],
    ["lora_alpha", -1, /"lora_alpha"/],
    ["target_modules", null, /"target_modules"/],
  ];
  for (const [field, value, message] of refused) {
    const fields = { ...LORA, [field]: value };
    throws(() => parseAdapterConfig(fields), { name: "SyntaxError", message });
  }
  throws(() => parseAdapterConfig([]), SyntaxError);
});
