/**
 * The vision tokenizer's decoder as ONNX graphs: codes → streams → pixels.
 *
 * ```text
 * codes ─▶ codebook ─┬─▶ post_quant_conv ─▶ z ─┬─▶ time_res_stack ─▶ time_conv ─┬─▶ z
 *                    └────────────────────▶ q ─┘   (one stack for both)          └─▶ q
 * z ─▶ conv_in ─▶ mid ─▶ up × levels ─▶ norm_out ─▶ conv_out ─▶ pixels
 *                  └──────┴── norms modulated by q ──┘
 * ```
 *
 * The first graph returns both streams of all frames of a clip, or those of a
 * still, the first frame of its code; they have as few channels as the latent.
 * The second takes the streams of one frame, so that a clip needs no more memory
 * than a picture.
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

/**
 * Builds `codes` int64 `[1, h, w]` → `streams` `[1, 2, Z, h, w]`: what becomes
 * pixels, and what modulates the norms.
 */
export function stillStreamsGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("still streams", weights, options);
  const codes = g.input("codes", "int64", [1, "h", "w"]);
  const vectors = codebookVectors(g, config, codes); // [1, Z, h, w]
  const [both] = timeDecoder(g, config, STILL, [vectors], concatStills);
  const streams = g.apply("Unsqueeze", [both, g.integers(0)]);
  const shape = [1, 2, config.latentChannels, "h", "w"];
  g.output("streams", streams, g.computeDtype, shape);
  return g.build();
}

/**
 * Builds `codes` int64 `[t, h, w]` → `streams` `[T, 2, Z, h, w]`, as
 * {@linkcode stillStreamsGraph} does for one frame.
 */
export function clipStreamsGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("clip streams", weights, options);
  const codes = g.input("codes", "int64", ["t", "h", "w"]);
  const vectors = codebookVectors(g, config, codes); // [t, Z, h, w]
  const swapped = g.apply("Transpose", [vectors], { perm: [1, 0, 2, 3] });
  const clip = g.apply("Unsqueeze", [swapped, g.integers(0)]);
  const both = timeDecoder(g, config, CLIP, clip, concatClips); // [2, Z, T, h, w]
  const streams = g.apply("Transpose", [both], { perm: [2, 0, 1, 3, 4] });
  const shape = ["T", 2, config.latentChannels, "h", "w"];
  g.output("streams", streams, g.computeDtype, shape);
  return g.build();
}

/** Builds `streams` `[2, Z, h, w]` → `pixels` `[1, 3, H, W]`, about −1…1. */
export function frameDecoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const { baseChannels, channelMultipliers, embedSize } = config;
  const g = new Graph("frame decoder", weights, options);
  const shape = [2, config.latentChannels, "h", "w"];
  const streams = g.input("streams", g.computeDtype, shape);
  const [latent, codes] = g.applyMany("Split", [streams], 2, {
    axis: 0,
    num_outputs: 2,
  });
  const top = channelMultipliers.length - 1;
  const norm = (level: number) =>
    spatialNorm(enlarge(g, codes!, 2 ** (top - level)), embedSize);
  const pixels = g.scope("decoder", () => {
    let channels = baseChannels * channelMultipliers[top]!;
    let x = conv(g, latent!, "conv_in", {
      from: config.latentChannels,
      to: channels,
      kernel: 3,
    });
    g.mark("conv_in", x);
    const topNorm = norm(top);
    x = middleBlock(g, x, {
      channels,
      norm: topNorm,
      convolutions: convolutionsAt(g, config, top),
    });
    for (let level = top; level >= 0; level--) {
      const to = baseChannels * channelMultipliers[level]!;
      const levelNorm = level === top ? topNorm : norm(level);
      const convolutions = convolutionsAt(g, config, level);
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
  g.output("pixels", pixels, g.computeDtype, [1, 3, "H", "W"]);
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
