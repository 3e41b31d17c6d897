/**
 * The vision tokenizer's decoder as an ONNX graph: codes → pixels.
 *
 * ```text
 * codes ─▶ codebook ─┬─▶ post_quant_conv ─▶ z ─┬─▶ time_res_stack ─▶ time_conv ─┬─▶ z
 *                    └────────────────────▶ q ─┘   (one stack for both)          └─▶ q
 * z ─▶ conv_in ─▶ mid ─▶ up × levels ─▶ norm_out ─▶ conv_out ─▶ pixels
 *                  └──────┴── norms modulated by q ──┘
 * ```
 *
 * The still graph returns the first frame of each code frame; the clip graph
 * returns all frames.
 *
 * Shapes: t code frames, T = t · temporalFactor frames, h × w codes,
 * H × W pixels, Z latent channels.
 * Source: Emu3VisionVQDecoder in modeling_emu3visionvq.py of baaivision/Emu3.
 *
 * @module
 */

import type { VisionConfig } from "./config/vision_config.ts";
import type { BuiltGraph } from "./graph/built_graph.ts";
import { Graph, type Value } from "./graph/graph.ts";
import type { GraphOptions } from "./graph/graph_options.ts";
import type { Weights } from "./graph/weights.ts";
import {
  levelBlocks,
  type LevelShape,
  middleBlock,
  spatialNorm,
  swish,
} from "./vision/blocks.ts";
import { conv, convolutionsAt, enlarge } from "./vision/convolution.ts";
import {
  CLIP,
  marked,
  STILL,
  temporalResidualStack,
  type TimeAxis,
} from "./vision/time_axis.ts";

/** The two output streams of the layers over time. */
interface Streams {
  /** Stream that becomes pixels, `[T, Z, h, w]`. */
  readonly latent: Value;
  /** Stream that modulates the norms, `[T, Z, h, w]`. */
  readonly codes: Value;
}

/** Builds `codes` int64 `[1, h, w]` → `pixels` `[1, 3, H, W]`, about −1…1. */
export function stillDecoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("still decoder", weights, options);
  const codes = g.input("codes", "int64", [1, "h", "w"]);
  const vectors = codebookVectors(g, config, codes); // [1, Z, h, w]
  const [both] = timeDecoder(g, config, STILL, [vectors], concatStills);
  const pixels = frameDecoder(g, config, splitStreams(g, both!), false);
  g.output("pixels", pixels, g.computeDtype, [1, 3, "H", "W"]);
  return g.build();
}

/** Builds `codes` int64 `[t, h, w]` → `pixels` `[T, 3, H, W]`, about −1…1. */
export function clipDecoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("clip decoder", weights, options);
  const codes = g.input("codes", "int64", ["t", "h", "w"]);
  const vectors = codebookVectors(g, config, codes); // [t, Z, h, w]
  const swapped = g.apply("Transpose", [vectors], { perm: [1, 0, 2, 3] });
  const clip = g.apply("Unsqueeze", [swapped, g.integers(0)]);
  const both = timeDecoder(g, config, CLIP, clip, concatClips);
  const streams = splitStreams(g, both); // [1, Z, T, h, w] each
  const frames = (value: Value) =>
    g.apply("Transpose", [g.apply("Squeeze", [value, g.integers(0)])], {
      perm: [1, 0, 2, 3],
    });
  const pixels = frameDecoder(g, config, {
    latent: frames(streams.latent),
    codes: frames(streams.codes),
  }, true);
  g.output("pixels", pixels, g.computeDtype, ["T", 3, "H", "W"]);
  return g.build();
}

/** Looks up codebook vectors, `[t, h, w]` → `[t, Z, h, w]`. */
function codebookVectors(g: Graph, config: VisionConfig, codes: Value): Value {
  const { codebookSize, embedSize } = config;
  const codebook = g.weight("quantize.embedding.weight", [
    codebookSize,
    embedSize,
  ]);
  const vectors = g.apply("Gather", [codebook, codes]); // [t, h, w, Z]
  return g.apply("Transpose", [vectors], { perm: [0, 3, 1, 2] });
}

const concatClips = (g: Graph, a: Value, b: Value): Value =>
  g.apply("Concat", [a, b], { axis: 0 });

const concatStills = (
  g: Graph,
  a: readonly Value[],
  b: readonly Value[],
): readonly Value[] => a.map((frame, i) => concatClips(g, frame, b[i]!));

/**
 * Maps frames of codebook vectors to both streams, stacked, with
 * `temporalFactor` times as many frames.
 */
function timeDecoder<X>(
  g: Graph,
  config: VisionConfig,
  axis: TimeAxis<X>,
  vectors: X,
  concat: (g: Graph, a: X, b: X) => X,
): X {
  const { latentChannels: channels, temporalFactor } = config;
  const first = { channels, frames: 3, kernel: 1, stride: 1 };
  const latent = axis.conv(g, vectors, "post_quant_conv", first);
  marked(g, axis, latent, "post_quant_conv");
  return g.scope("decoder", () => {
    let out = concat(g, latent, vectors);
    out = temporalResidualStack(g, axis, out, {
      blocks: config.residualBlocks,
      channels,
    });
    const up = { channels, frames: 3, kernel: 3, stride: 1 };
    for (let i = 0; i < Math.log2(temporalFactor); i++) {
      out = axis.conv(g, axis.double(g, out), `time_conv.${i}.conv`, up);
      marked(g, axis, out, `time_conv.${i}`);
      out = axis.map(out, (value) => swish(g, value));
    }
    return out;
  });
}

function splitStreams(g: Graph, both: Value): Streams {
  const [latent, codes] = g.applyMany("Split", [both], 2, {
    axis: 0,
    num_outputs: 2,
  });
  return { latent: latent!, codes: codes! };
}

/** Maps `[T, Z, h, w]` to `[T, 3, H, W]`, each frame alone. */
function frameDecoder(
  g: Graph,
  config: VisionConfig,
  { latent, codes }: Streams,
  clip: boolean,
): Value {
  const { baseChannels, channelMultipliers, embedSize } = config;
  const top = channelMultipliers.length - 1;
  const norm = (level: number) =>
    spatialNorm(enlarge(g, codes, 2 ** (top - level)), embedSize);
  return g.scope("decoder", () => {
    let channels = baseChannels * channelMultipliers[top]!;
    let x = conv(g, latent, "conv_in", {
      from: config.latentChannels,
      to: channels,
      kernel: 3,
    });
    g.mark("conv_in", x);
    const topNorm = norm(top);
    x = middleBlock(g, x, {
      channels,
      norm: topNorm,
      convolutions: convolutionsAt(g, config, top, clip),
    });
    for (let level = top; level >= 0; level--) {
      const to = baseChannels * channelMultipliers[level]!;
      const levelNorm = level === top ? topNorm : norm(level);
      const convolutions = convolutionsAt(g, config, level, clip);
      const shape = { from: channels, to, norm: levelNorm, convolutions };
      x = upLevel(g, config, x, level, shape);
      channels = to;
      if (level === 0) x = levelNorm(g, x, "norm_out", channels);
    }
    g.mark("norm_out", x);
    const shape = { from: channels, to: config.imageChannels, kernel: 3 };
    const out = conv(g, swish(g, x), "conv_out", shape);
    g.mark("conv_out", out);
    return out;
  });
}

/** Adds residual blocks, attention where configured, and doubles the sides. */
function upLevel(
  g: Graph,
  config: VisionConfig,
  x: Value,
  level: number,
  { from, to, norm, convolutions }: Omit<LevelShape, "blocks" | "attention">,
): Value {
  return g.scope(`up.${level}`, () => {
    let out = levelBlocks(g, x, {
      blocks: config.residualBlocks + 1,
      attention: config.attentionLevels.includes(level),
      from,
      to,
      norm,
      convolutions,
    });
    if (level > 0) {
      out = convolutions.doubled(g, out, "upsample.conv", { from: to, to });
    }
    g.mark("out", out);
    return out;
  });
}
