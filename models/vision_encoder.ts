/**
 * The vision tokenizer's encoder as ONNX graphs: pixels → features → latent.
 *
 * ```text
 * pixels   ─▶ conv_in ─▶ down × levels ─▶ mid ─▶ norm_out ─▶ conv_out ─▶ features
 * features ─▶ time_conv ─▶ time_res_stack ─▶ quant_conv ─▶ latent
 * ```
 *
 * The first graph takes frames one by one, so that a clip needs no more memory
 * than a picture. The second takes the features of a clip's frames, a multiple
 * of `temporalFactor`, or those of a still, as if it were `temporalFactor` equal
 * frames; features have as many channels as the latent, so that it takes little
 * of the time.
 *
 * Shapes: T frames, H × W pixels, t code frames, h × w codes, Z latent channels.
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

/** Builds `pixels` `[1, 3, H, W]` in −1…1 → `features` `[1, Z, h, w]`. */
export function frameEncoderGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const { baseChannels, channelMultipliers, latentChannels } = config;
  const g = new Graph("frame encoder", weights, options);
  const pixels = g.input("pixels", g.computeDtype, [1, 3, "H", "W"]);
  const features = g.scope("encoder", () => {
    let x = conv(g, pixels, "conv_in", {
      from: config.imageChannels,
      to: baseChannels,
      kernel: 3,
    });
    g.mark("conv_in", x);
    let channels = baseChannels;
    for (const [level, multiplier] of channelMultipliers.entries()) {
      const to = baseChannels * multiplier;
      const convolutions = convolutionsAt(g, config, level);
      x = downLevel(g, config, x, level, { from: channels, to, convolutions });
      channels = to;
    }
    const top = channelMultipliers.length - 1;
    const convolutions = convolutionsAt(g, config, top);
    x = middleBlock(g, x, { channels, norm: groupNorm, convolutions });
    x = swish(g, markedNormOut(g, x, channels));
    const shape = { from: channels, to: latentChannels, kernel: 3 };
    const out = conv(g, x, "conv_out", shape);
    g.mark("conv_out", out);
    return out;
  });
  const shape = [1, latentChannels, "h", "w"];
  g.output("features", features, g.computeDtype, shape);
  return g.build();
}

/** Builds `features` `[1, Z, h, w]` → `latent` `[1, Z, h, w]`. */
export function stillLatentGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("still latent", weights, options);
  const shape = [1, config.latentChannels, "h", "w"];
  const frame = g.input("features", g.computeDtype, shape);
  const frames = Array.from({ length: config.temporalFactor }, () => frame);
  const latent = timeEncoder(g, config, STILL, frames)[0]!;
  g.output("latent", latent, g.computeDtype, shape);
  return g.build();
}

/**
 * Builds `features` `[T, Z, h, w]` → `latent` `[T / temporalFactor, Z, h, w]`.
 */
export function clipLatentGraph(
  config: VisionConfig,
  weights: Weights,
  options: GraphOptions,
): BuiltGraph {
  const g = new Graph("clip latent", weights, options);
  const sides = [config.latentChannels, "h", "w"];
  const frames = g.input("features", g.computeDtype, ["T", ...sides]);
  // [T, Z, h, w] → [1, Z, T, h, w] and back
  const swapped = g.apply("Transpose", [frames], { perm: [1, 0, 2, 3] });
  const clip = g.apply("Unsqueeze", [swapped, g.integers(0)]);
  const encoded = timeEncoder(g, config, CLIP, clip);
  const squeezed = g.apply("Squeeze", [encoded, g.integers(0)]);
  const latent = g.apply("Transpose", [squeezed], { perm: [1, 0, 2, 3] });
  g.output("latent", latent, g.computeDtype, ["t", ...sides]);
  return g.build();
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
