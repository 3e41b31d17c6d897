import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseLanguageConfig } from "../../../models/config/language_config.ts";
import { goldenJson } from "../../support/golden.ts";

type Json = Record<string, unknown>;

/** The published 8 B model: emu3-gen except for its own file's fields. */
const PUBLISHED = {
  vocabularySize: 184_622,
  hiddenSize: 4096,
  intermediateSize: 14_336,
  layers: 32,
  heads: 32,
  keyValueHeads: 8,
  headSize: 128,
  normEpsilon: 1e-5,
  ropeTheta: 1_000_000,
  maxPositions: 9216,
  imageArea: 518_400,
  tiedEmbeddings: false,
};

const PUBLISHED_IDS = {
  "pad_token_id": 151_643,
  "bos_token_id": 151_849,
  "eos_token_id": 151_850,
  "img_token_id": 151_851,
  "boi_token_id": 151_852,
  "eoi_token_id": 151_853,
  "eol_token_id": 151_846,
  "eof_token_id": 151_847,
};

const gen = goldenJson<Json>("hub/Emu3-Gen/config.json");
const tiny = goldenJson<Json>("checkpoints/emu3-tiny/config.json");

Deno.test("parseLanguageConfig() reads Emu3-Gen as published", () => {
  const expected = { ...PUBLISHED, tokenIds: PUBLISHED_IDS };
  deepStrictEqual(parseLanguageConfig(gen), expected);
});

Deno.test("parseLanguageConfig() reads Emu3-Chat as published", () => {
  deepStrictEqual(
    parseLanguageConfig(goldenJson("hub/Emu3-Chat/config.json")),
    {
      ...PUBLISHED,
      maxPositions: 131_072,
      imageArea: 262_144,
      tokenIds: PUBLISHED_IDS,
    },
  );
});

Deno.test("parseLanguageConfig() completes the fields that Emu3-Gen-hf omits", () => {
  deepStrictEqual(
    parseLanguageConfig(goldenJson("hub/Emu3-Gen-hf/config.json")),
    {
      ...PUBLISHED,
      tokenIds: {},
    },
  );
});

Deno.test("parseLanguageConfig() reads the sizes of both tiny layouts alike", () => {
  const hf = goldenJson("checkpoints/emu3-tiny-hf/config.json");
  const { tokenIds, ...sizes } = parseLanguageConfig(tiny);
  const { tokenIds: nestedIds, ...nestedSizes } = parseLanguageConfig(hf);
  // The image area belongs to the image processor in that layout.
  deepStrictEqual({ ...nestedSizes, imageArea: 4096 }, sizes);
  deepStrictEqual(sizes, {
    vocabularySize: 1747,
    hiddenSize: 64,
    intermediateSize: 128,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    headSize: 16,
    normEpsilon: 1e-5,
    ropeTheta: 1_000_000,
    maxPositions: 9216,
    imageArea: 4096,
    tiedEmbeddings: false,
  });
  for (const [field, id] of Object.entries(nestedIds)) {
    strictEqual(tokenIds[field], id, field);
  }
});

Deno.test("parseLanguageConfig() reads the files of newer transformers", () => {
  const { rope_theta: _, torch_dtype: _dtype, ...rest } = tiny;
  const saved = {
    dtype: "bfloat16",
    "text_config": {
      ...rest,
      dtype: "bfloat16",
      "head_dim": 16,
      "rope_parameters": { rope_theta: 50_000, rope_type: "default" },
    },
    "vq_config": {},
  };
  const { ropeTheta, headSize } = parseLanguageConfig(saved);
  deepStrictEqual({ ropeTheta, headSize }, { ropeTheta: 50_000, headSize: 16 });
});

Deno.test("parseLanguageConfig() reads ids and tied weights outside of text_config as inside of it", () => {
  const { tie_word_embeddings: _, eos_token_id: eos, ...text } = tiny;
  const outside = parseLanguageConfig({
    "tie_word_embeddings": true,
    "eos_token_id": [eos, 7],
    "bos_token_id": 1,
    "text_config": text,
  });
  strictEqual(outside.tiedEmbeddings, true);
  deepStrictEqual(outside.tokenIds["eos_token_id"], [eos, 7]);
  // The inner field takes precedence.
  strictEqual(outside.tokenIds["bos_token_id"], tiny["bos_token_id"]);
  const inside = parseLanguageConfig({
    "tie_word_embeddings": false,
    "text_config": { ...text, "tie_word_embeddings": true },
  });
  strictEqual(inside.tiedEmbeddings, true);
});

Deno.test("parseLanguageConfig() treats a null as a missing field", () => {
  const config = parseLanguageConfig({
    ...tiny,
    "rope_theta": null,
    "rms_norm_eps": null,
    "head_dim": null,
  });
  deepStrictEqual(config, parseLanguageConfig(tiny));
});

Deno.test("parseLanguageConfig() reads a head size of its own", () => {
  strictEqual(parseLanguageConfig({ ...tiny, head_dim: 32 }).headSize, 32);
});

/** Changes to the tiny configuration, and the expected messages. */
const refused: [change: Json, message: RegExp][] = [
  [{ vocab_size: "1747" }, /^field "vocab_size": .*Expected number/],
  [{ vocab_size: 0 }, /^field "vocab_size": /],
  [{ hidden_size: 64.5 }, /^field "hidden_size": .*integer/],
  [{ num_hidden_layers: -2 }, /^field "num_hidden_layers": /],
  [{ num_attention_heads: [] }, /^field "num_attention_heads": /],
  [
    { num_attention_heads: 6, num_key_value_heads: 2 },
    /^field "num_attention_heads": 6 heads do not divide hidden_size 64/,
  ],
  [
    { num_key_value_heads: 3 },
    /^field "num_key_value_heads": 3 does not divide 4 heads/,
  ],
  [{ head_dim: 15 }, /^field "head_dim": 15 is odd/],
  [{ rms_norm_eps: 0 }, /^field "rms_norm_eps": /],
  [{ rope_theta: -1 }, /^field "rope_theta": /],
  [{ rope_theta: Infinity }, /^field "rope_theta": /],
  [{ hidden_act: "gelu" }, /^field "hidden_act": "gelu" is not Emu3's "silu"/],
  [{ attention_bias: true }, /^field "attention_bias": Emu3 has no biases/],
  [{ mlp_bias: true }, /^field "mlp_bias": Emu3 has no biases/],
  [{ tie_word_embeddings: "yes" }, /^field "tie_word_embeddings": /],
  [
    { rope_scaling: { type: "linear", factor: 2 } },
    /^field "rope_scaling": rotary scaling "linear" is not Emu3's "default"/,
  ],
  [
    { rope_parameters: { rope_type: "yarn" } },
    /^field "rope_parameters": rotary scaling "yarn"/,
  ],
  [
    { rope_parameters: { partial_rotary_factor: 0.5 } },
    /^field "rope_parameters.partial_rotary_factor": /,
  ],
  [{ eos_token_id: "</s>" }, /^field "eos_token_id": /],
  [{ eos_token_id: [7, -1] }, /^field "eos_token_id/],
  [
    { rope_parameters: { rope_theta: "big" } },
    /^field "rope_parameters.rope_theta": /,
  ],
];

for (const [change, message] of refused) {
  Deno.test(`parseLanguageConfig() names the field when it is ${Deno.inspect(change)}`, () => {
    const refuse = (json: unknown) => {
      throws(() => parseLanguageConfig(json), (error) => {
        return error instanceof SyntaxError && message.test(error.message);
      });
    };
    refuse({ ...tiny, ...change });
    refuse({ text_config: { ...tiny, ...change } });
  });
}

for (
  const json of [null, [], "x", 3, { text_config: 7 }, { text_config: [] }]
) {
  Deno.test(`parseLanguageConfig() refuses ${JSON.stringify(json)}`, () => {
    throws(() => parseLanguageConfig(json), SyntaxError);
  });
}
