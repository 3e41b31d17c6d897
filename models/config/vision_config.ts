/**
 * The vision tokenizer's sizes, from a checkpoint's `config.json`.
 *
 * The original layout is flat; transformers nests `vq_config` and renames some
 * fields (`ch` → `base_channels`, `ch_mult` → `channel_multiplier`,
 * `z_channels` → `latent_channels`, `double_z` → `double_latent`). A missing
 * field means the published model's value.
 *
 * @module
 */

import * as v from "valibot";
import { Count, nestedFields, orDefault, parseFields } from "./fields.ts";

/** The sizes of encoder, codebook and decoder. */
export interface VisionConfig {
  /** Number of codes. */
  readonly codebookSize: number;
  /** Width of a codebook vector. */
  readonly embedSize: number;
  /** Number of channels of the latent. */
  readonly latentChannels: number;
  /** Number of channels at full resolution. */
  readonly baseChannels: number;
  /**
   * Factors of `baseChannels`, by level; each level but the last halves the
   * sides.
   */
  readonly channelMultipliers: readonly number[];
  /**
   * Number of residual blocks per level of the encoder; the decoder has one
   * more.
   */
  readonly residualBlocks: number;
  /** Levels (not resolutions) with attention. */
  readonly attentionLevels: readonly number[];
  /** Number of frames per code frame; a power of two. */
  readonly temporalFactor: number;
  /** Number of channels of the picture. */
  readonly imageChannels: number;
}

const Original = v.looseObject({
  // Codes are stored in 16 bits.
  codebook_size: orDefault(v.pipe(Count, v.maxValue(2 ** 16)), 32_768),
  embed_dim: orDefault(Count, 4),
  z_channels: orDefault(Count, 4),
  double_z: orDefault(v.boolean(), false),
  ch: orDefault(Count, 256),
  ch_mult: orDefault(v.pipe(v.array(Count), v.minLength(1)), [1, 2, 2, 4]),
  num_res_blocks: orDefault(Count, 2),
  attn_resolutions: orDefault(v.array(v.number()), [3]),
  temporal_downsample_factor: orDefault(Count, 4),
  in_channels: orDefault(Count, 3),
  out_channels: orDefault(Count, 3),
  model_type: v.nullish(v.string()),
  num_attention_heads: orDefault(v.number(), 1),
});

/** The model type of Emu3's vision tokenizer in transformers. */
const VQ_TYPE = "emu3_vqgan";

/** The original names of fields, by their names in transformers. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["latent_channels", "z_channels"],
  ["double_latent", "double_z"],
  ["base_channels", "ch"],
  ["channel_multiplier", "ch_mult"],
]);

/**
 * Parses a `config.json` into the vision tokenizer's configuration.
 *
 * @throws {SyntaxError} If a field is invalid.
 */
export function parseVisionConfig(json: unknown): VisionConfig {
  const given = new Map<string, string>();
  const entries = Object.entries(nestedFields(json, "vq_config"))
    .map(([name, value]) => {
      const field = RENAMED.get(name) ?? name;
      given.set(field, name);
      return [field, value];
    });
  const nameOf = (field: string) => given.get(field) ?? field;
  const fields = parseFields(Original, Object.fromEntries(entries), nameOf);
  const { temporal_downsample_factor: temporalFactor } = fields;
  if (!Number.isInteger(Math.log2(temporalFactor))) {
    throw new SyntaxError(
      `field "temporal_downsample_factor": ${temporalFactor} is not a power of two`,
    );
  }
  if (fields.double_z) {
    throw new SyntaxError(
      `field "${nameOf("double_z")}": Emu3 quantizes a single latent`,
    );
  }
  // In a language model's file, the same field has another meaning.
  const heads = fields.model_type === VQ_TYPE ? fields.num_attention_heads : 1;
  if (heads !== 1) {
    throw new SyntaxError(
      `field "num_attention_heads": ${heads} is not Emu3's 1`,
    );
  }
  for (const field of ["in_channels", "out_channels"] as const) {
    if (fields[field] !== 3) {
      throw new SyntaxError(`field "${field}": pictures have 3 channels`);
    }
  }
  return {
    codebookSize: fields.codebook_size,
    embedSize: fields.embed_dim,
    latentChannels: fields.z_channels,
    baseChannels: fields.ch,
    channelMultipliers: fields.ch_mult,
    residualBlocks: fields.num_res_blocks,
    attentionLevels: fields.attn_resolutions,
    temporalFactor,
    imageChannels: fields.in_channels,
  };
}

/** Returns the number of pixels along each side of a code. */
export function spatialFactor(config: VisionConfig): number {
  return 2 ** (config.channelMultipliers.length - 1);
}
