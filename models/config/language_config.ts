/**
 * The language model's sizes, from a checkpoint's `config.json`.
 *
 * Both layouts are read: the original one is flat, transformers nests the same
 * fields in `text_config`. Published transformers-layout files omit every value
 * that equals the class default, so a missing field means the published 8 B
 * model's value (Emu3Config, Emu3TextConfig).
 *
 * @module
 */

import * as v from "valibot";
import {
  Count,
  nestedFields,
  orDefault,
  parseFields,
  Positive,
  TokenIds,
} from "./fields.ts";

/** The sizes and constants of the decoder. */
export interface LanguageConfig {
  /**
   * Number of rows of the embedding and of the head, specials and codes
   * included.
   */
  readonly vocabularySize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the gated layer. */
  readonly intermediateSize: number;
  /** Number of decoder layers. */
  readonly layers: number;
  /** Number of query heads. */
  readonly heads: number;
  /** Number of key-value heads; divides `heads`. */
  readonly keyValueHeads: number;
  /** Width of a head. */
  readonly headSize: number;
  /** Number added to the variance in RMSNorm. */
  readonly normEpsilon: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** Context length in training, in tokens. */
  readonly maxPositions: number;
  /** Default area of a drawn picture, in pixels². */
  readonly imageArea: number;
  /** True if the embedding is used as the head when the head has no weights. */
  readonly tiedEmbeddings: boolean;
  /** Ids in the file, by field; they must agree with the tokenizer. */
  readonly tokenIds: Readonly<Record<string, number | readonly number[]>>;
}

/** Names of fields that contain ids of special tokens. */
const TOKEN_ID_FIELDS = [
  "pad_token_id",
  "bos_token_id",
  "eos_token_id",
  "img_token_id",
  "boi_token_id",
  "eoi_token_id",
  "eol_token_id",
  "eof_token_id",
] as const;

const StatedIds = v.object(
  v.entriesFromList(TOKEN_ID_FIELDS, v.nullish(TokenIds)),
);

const Rope = v.looseObject({
  rope_theta: v.nullish(Positive),
  rope_type: v.nullish(v.string()),
  type: v.nullish(v.string()),
  partial_rotary_factor: v.nullish(v.literal(
    1,
    "Emu3 rotates whole heads; expected 1",
  )),
});

const Fields = v.looseObject({
  vocab_size: orDefault(Count, 184_622),
  hidden_size: orDefault(Count, 4096),
  intermediate_size: orDefault(Count, 14_336),
  num_hidden_layers: orDefault(Count, 32),
  num_attention_heads: orDefault(Count, 32),
  num_key_value_heads: orDefault(Count, 8),
  head_dim: v.nullish(Count),
  hidden_act: orDefault(v.string(), "silu"),
  rms_norm_eps: orDefault(Positive, 1e-5),
  rope_theta: v.nullish(Positive),
  rope_scaling: v.nullish(Rope),
  rope_parameters: v.nullish(Rope),
  max_position_embeddings: orDefault(Count, 9216),
  image_area: orDefault(Count, 720 * 720),
  tie_word_embeddings: orDefault(v.boolean(), false),
  attention_bias: orDefault(v.boolean(), false),
  mlp_bias: orDefault(v.boolean(), false),
});

const DEFAULT_ROPE_THETA = 1_000_000;

/**
 * Parses a `config.json` into the decoder's configuration.
 *
 * @throws {SyntaxError} If a field is invalid, or selects a variant that Emu3
 * does not support.
 */
export function parseLanguageConfig(json: unknown): LanguageConfig {
  const flat = inheritedFields(json);
  const fields = parseFields(Fields, flat);
  refuseVariants(fields);
  const { hidden_size: hiddenSize, num_attention_heads: heads } = fields;
  const headSize = fields.head_dim ?? hiddenSize / heads;
  const keyValueHeads = fields.num_key_value_heads;
  if (!Number.isInteger(headSize)) {
    throw new SyntaxError(
      `field "num_attention_heads": ${heads} heads do not divide hidden_size ${hiddenSize}`,
    );
  }
  if (headSize % 2 !== 0) {
    throw new SyntaxError(
      `field "head_dim": ${headSize} is odd; rotary embeddings require an even size`,
    );
  }
  if (heads % keyValueHeads !== 0) {
    throw new SyntaxError(
      `field "num_key_value_heads": ${keyValueHeads} does not divide ${heads} heads`,
    );
  }
  return {
    vocabularySize: fields.vocab_size,
    hiddenSize,
    intermediateSize: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    heads,
    keyValueHeads,
    headSize,
    normEpsilon: fields.rms_norm_eps,
    ropeTheta: fields.rope_parameters?.rope_theta ?? fields.rope_theta ??
      DEFAULT_ROPE_THETA,
    maxPositions: fields.max_position_embeddings,
    imageArea: fields.image_area,
    tiedEmbeddings: fields.tie_word_embeddings,
    tokenIds: tokenIds(flat),
  };
}

/**
 * Returns the fields of the language model. Ids and tied weights are outside of
 * `text_config`, inside of it or both, depending on the version of the saver.
 */
function inheritedFields(json: unknown): Readonly<Record<string, unknown>> {
  const inner = nestedFields(json, "text_config");
  const outer: Record<string, unknown> = parseFields(v.looseObject({}), json);
  const given = (field: string) => inner[field] ?? outer[field];
  const ids = TOKEN_ID_FIELDS.map((field) => [field, given(field)]);
  return {
    ...inner,
    ...Object.fromEntries(ids),
    tie_word_embeddings: outer["tie_word_embeddings"] === true ||
      given("tie_word_embeddings"),
  };
}

function refuseVariants(fields: v.InferOutput<typeof Fields>): void {
  const { hidden_act: activation } = fields;
  if (activation !== "silu") {
    throw new SyntaxError(
      `field "hidden_act": "${activation}" is not Emu3's "silu"`,
    );
  }
  for (const field of ["attention_bias", "mlp_bias"] as const) {
    if (fields[field]) {
      throw new SyntaxError(`field "${field}": Emu3 has no biases`);
    }
  }
  for (const field of ["rope_scaling", "rope_parameters"] as const) {
    const type = fields[field]?.rope_type ?? fields[field]?.type ?? "default";
    if (type !== "default") {
      throw new SyntaxError(
        `field "${field}": rotary scaling "${type}" is not Emu3's "default"`,
      );
    }
  }
}

function tokenIds(
  json: Readonly<Record<string, unknown>>,
): LanguageConfig["tokenIds"] {
  const stated = Object.entries(parseFields(StatedIds, json));
  return Object.fromEntries(
    stated.flatMap(([field, ids]) =>
      ids === null || ids === undefined
        ? []
        : [[field, ids.length === 1 ? ids[0]! : ids]]
    ),
  );
}
