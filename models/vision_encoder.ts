/**
 * The vision tokenizer's encoder as an ONNX graph: pixels → latent.
 *
 * ```text
 * pixels ─▶ conv_in ─▶ down × levels ─▶ mid ─▶ norm_out ─▶ conv_out      per frame
 *        ─▶ time_conv ─▶ time_res_stack ─▶ quant_conv ─▶ latent          over time
 * ```
 *
 * The still graph takes one picture and treats it as `temporalFactor` equal
 * frames; the clip graph takes frames, a multiple of `temporalFactor`.
 *
 * Shapes: T frames, H × W pixels, h × w codes, Z latent channels.
 * Source: Emu3VisionVQEncoder in modeling_emu3visionvq.py of baaivision/Emu3.
 *
 * @module
 */

import type { VisionConfig } from "./config/vision_config.ts";
import type { BuiltGraph } from "./graph/built_graph.ts";
import { Graph, type Value } from "./graph/graph.ts";
import type { GraphOptions } from "./graph/graph_options.ts";
import type { Weights } from "./graph/weights.ts";
import {
  groupNorm,
  levelBlocks,
  type LevelShape,
  middleBlock,
  swish,
} from "./vision/blocks.ts";
import { conv, convolutionsAt } from "./vision/convolution.ts";
import {
  CLIP,
  marked,
  STILL,
  temporalResidualStack,
  type TimeAxis,
} from "./vision/time_axis.ts";

/** Builds `pixels` `[1, 3, H, W]` in −1…1 → `latent` `[1, Z, h, w]`. */
export function stillEncoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("still encoder", weights, options);
  const pixels = g.input("pixels", g.computeDtype, [1, 3, "H", "W"]);
  const frame = frameEncoder(g, config, pixels, false);
  const frames = Array.from({ length: config.temporalFactor }, () => frame);
  const latent = timeEncoder(g, config, STILL, frames)[0]!;
  const shape = [1, config.latentChannels, "h", "w"];
  g.output("latent", latent, g.computeDtype, shape);
  return g.build();
}

/**
 * Builds `pixels` `[T, 3, H, W]` in −1…1 → `latent` `[T / temporalFactor, Z, h,
 * w]`.
 */
export function clipEncoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const { latentChannels } = config;
  const g = new Graph("clip encoder", weights, options);
  const pixels = g.input("pixels", g.computeDtype, ["T", 3, "H", "W"]);
  const frames = frameEncoder(g, config, pixels, true); // [T, Z, h, w]
  // [T, Z, h, w] → [1, Z, T, h, w] and back
  const swapped = g.apply("Transpose", [frames], { perm: [1, 0, 2, 3] });
  const clip = g.apply("Unsqueeze", [swapped, g.integers(0)]);
  const encoded = timeEncoder(g, config, CLIP, clip);
  const squeezed = g.apply("Squeeze", [encoded, g.integers(0)]);
  const latent = g.apply("Transpose", [squeezed], { perm: [1, 0, 2, 3] });
  g.output("latent", latent, g.computeDtype, ["t", latentChannels, "h", "w"]);
  return g.build();
}

/** Maps `[T, 3, H, W]` to `[T, Z, h, w]`, each frame alone. */
function frameEncoder(
  g: Graph,
  config: VisionConfig,
  pixels: Value,
  clip: boolean,
): Value {
  const { baseChannels, channelMultipliers, latentChannels } = config;
  return g.scope("encoder", () => {
    let x = conv(g, pixels, "conv_in", {
      from: config.imageChannels,
      to: baseChannels,
      kernel: 3,
    });
    g.mark("conv_in", x);
    let channels = baseChannels;
    for (const [level, multiplier] of channelMultipliers.entries()) {
      const to = baseChannels * multiplier;
      const convolutions = convolutionsAt(g, config, level, clip);
      x = downLevel(g, config, x, level, { from: channels, to, convolutions });
      channels = to;
    }
    const convolutions = convolutionsAt(
      g,
      config,
      channelMultipliers.length - 1,
      clip,
    );
    x = middleBlock(g, x, { channels, norm: groupNorm, convolutions });
    x = swish(g, markedNormOut(g, x, channels));
    const shape = { from: channels, to: latentChannels, kernel: 3 };
    const out = conv(g, x, "conv_out", shape);
    g.mark("conv_out", out);
    return out;
  });
}

function markedNormOut(g: Graph, x: Value, channels: number): Value {
  const normed = groupNorm(g, x, "norm_out", channels);
  g.mark("norm_out", normed);
  return normed;
}

/** Adds residual blocks, attention where configured, and halves the sides. */
function downLevel(
  g: Graph,
  config: VisionConfig,
  x: Value,
  level: number,
  { from, to, convolutions }: Pick<LevelShape, "from" | "to" | "convolutions">,
): Value {
  return g.scope(`down.${level}`, () => {
    let out = levelBlocks(g, x, {
      blocks: config.residualBlocks,
      attention: config.attentionLevels.includes(level),
      from,
      to,
      norm: groupNorm,
      convolutions,
    });
    if (level < config.channelMultipliers.length - 1) {
      // The reference pads one pixel on the right and at the bottom only.
      out = conv(g, out, "downsample.conv", { from: to, to, kernel: 3 }, {
        stride: 2,
        padding: [0, 0, 1, 1],
      });
    }
    g.mark("out", out);
    return out;
  });
}

/** Maps frames of one clip to one frame for every `temporalFactor`. */
function timeEncoder<X>(
  g: Graph,
  config: VisionConfig,
  axis: TimeAxis<X>,
  frames: X,
): X {
  const { temporalFactor, latentChannels: channels } = config;
  const down = { channels, frames: 4, kernel: 3, stride: 2 };
  const x = g.scope("encoder", () => {
    let out = frames;
    for (let i = 0; i < Math.log2(temporalFactor); i++) {
      out = axis.conv(g, out, `time_conv.${i}.conv`, down);
      marked(g, axis, out, `time_conv.${i}`);
      out = axis.map(out, (value) => swish(g, value));
    }
    return temporalResidualStack(g, axis, out, {
      blocks: config.residualBlocks,
      channels,
    });
  });
  const last = { channels, frames: 3, kernel: 1, stride: 1 };
  const latent = axis.conv(g, x, "quant_conv", last);
  return marked(g, axis, latent, "quant_conv");
}
