import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  parseVisionConfig,
  spatialFactor,
} from "../../../models/config/vision_config.ts";
import { goldenJson } from "../../support/golden.ts";

type Json = Record<string, unknown>;

const PUBLISHED = {
  codebookSize: 32_768,
  embedSize: 4,
  latentChannels: 4,
  baseChannels: 256,
  channelMultipliers: [1, 2, 2, 4],
  residualBlocks: 2,
  attentionLevels: [3],
  temporalFactor: 4,
  imageChannels: 3,
};

const tiny = goldenJson<Json>(
  "checkpoints/emu3-tiny-visiontokenizer/config.json",
);

for (const name of ["Emu3-VisionTokenizer", "Emu3-Gen-hf"]) {
  Deno.test(`parseVisionConfig() reads ${name} as published`, () => {
    const config = parseVisionConfig(goldenJson(`hub/${name}/config.json`));
    deepStrictEqual(config, PUBLISHED);
    strictEqual(spatialFactor(config), 8);
  });
}

Deno.test("parseVisionConfig() reads both tiny layouts alike", () => {
  const hf = goldenJson("checkpoints/emu3-tiny-hf/config.json");
  deepStrictEqual(parseVisionConfig(hf), parseVisionConfig(tiny));
  deepStrictEqual(parseVisionConfig(tiny), {
    ...PUBLISHED,
    codebookSize: 512,
    baseChannels: 32,
    channelMultipliers: [1, 1, 2, 2],
    residualBlocks: 1,
  });
});

const refused: [change: Json, message: RegExp][] = [
  [{ codebook_size: 0 }, /^field "codebook_size": /],
  [{ codebook_size: 65_537 }, /^field "codebook_size": /],
  [{ ch: "32" }, /^field "ch": /],
  [{ ch_mult: [1, 0] }, /^field "ch_mult\.1": /],
  [{ ch_mult: [] }, /^field "ch_mult": /],
  [{ double_z: true }, /^field "double_z": Emu3 quantizes a single latent/],
  [{ in_channels: 1 }, /^field "in_channels": pictures have 3 channels/],
  [{ out_channels: 4 }, /^field "out_channels": pictures have 3 channels/],
  [
    { temporal_downsample_factor: 3 },
    /^field "temporal_downsample_factor": 3 is not a power of two/,
  ],
];

for (const [change, message] of refused) {
  Deno.test(`parseVisionConfig() names the field when it is ${Deno.inspect(change)}`, () => {
    throws(() => parseVisionConfig({ ...tiny, ...change }), (error) => {
      return error instanceof SyntaxError && message.test(error.message);
    });
  });
}

const renamed: [change: Json, message: RegExp][] = [
  [{ base_channels: 1.5 }, /^field "base_channels": /],
  [{ channel_multiplier: [-1] }, /^field "channel_multiplier\.0": /],
  [{ latent_channels: null, embed_dim: {} }, /^field "embed_dim": /],
  [
    { model_type: "emu3_vqgan", num_attention_heads: 4 },
    /^field "num_attention_heads": 4 is not /,
  ],
  [{ double_latent: true }, /^field "double_latent": /],
];

for (const [change, message] of renamed) {
  Deno.test(`parseVisionConfig() names the field as transformers does when it is ${Deno.inspect(change)}`, () => {
    throws(() => parseVisionConfig({ vq_config: change }), (error) => {
      return error instanceof SyntaxError && message.test(error.message);
    });
  });
}

for (const json of [null, [], 1, { vq_config: [] }]) {
  Deno.test(`parseVisionConfig() refuses ${JSON.stringify(json)}`, () => {
    throws(() => parseVisionConfig(json), SyntaxError);
  });
}
