/**
 * The two-dimensional convolutions of the vision tokenizer, direct or by
 * Winograd's algorithm.
 *
 * Shapes: C channels, H × W the sides at a level.
 *
 * @module
 */

import { spatialFactor, type VisionConfig } from "../config/vision_config.ts";
import type { WinogradChoice } from "../graph/graph_options.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { padded } from "./padding.ts";
import { type Channels, TILE, Winograd } from "./winograd.ts";

/** The shape of a convolution. */
export interface ConvShape extends Channels {
  /** Side of the kernel. */
  readonly kernel: number;
}

/**
 * Adds a convolution with bias, `[1, from, H, W]` → `[1, to, H', W']`.
 *
 * @param padding Top, left, bottom, right; by default such that the sides are
 * unchanged.
 */
export function conv(
  g: Graph,
  x: Value,
  name: string,
  { from, to, kernel }: ConvShape,
  { stride = 1, padding = Array<number>(4).fill((kernel - 1) / 2) } = {},
): Value {
  return g.scope(name, () => {
    const { input, pads } = padded(g, x, padding);
    return g.apply("Conv", [
      input,
      g.weight("weight", [to, from, kernel, kernel]),
      g.weight("bias", [to]),
    ], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads,
    });
  });
}

/** Enlarges the sides by `factor`, by repeating pixels. */
export function enlarge(g: Graph, x: Value, factor: number): Value {
  if (factor === 1) return x;
  const scales = Float32Array.of(1, 1, factor, factor);
  return nearest(g, x, scales);
}

/** Adds a `Resize` that repeats elements; one scale per dimension. */
export function nearest(
  g: Graph,
  x: Value,
  scales: Float32Array<ArrayBuffer>,
): Value {
  return g.apply("Resize", [
    x,
    undefined,
    g.constant("float32", [scales.length], scales),
  ], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}

/** The 3 × 3 convolutions of stride 1 at a level, with bias. */
export interface Convolutions {
  /** Adds a convolution, `[1, from, H, W]` → `[1, to, H, W]`. */
  same(g: Graph, x: Value, name: string, channels: Channels): Value;
  /**
   * Adds a convolution of the doubled picture, `[1, from, H, W]` → `[1, to, 2H,
   * 2W]`.
   */
  doubled(g: Graph, x: Value, name: string, channels: Channels): Value;
}

const DIRECT: Convolutions = {
  same: (g, x, name, channels) => conv(g, x, name, { ...channels, kernel: 3 }),
  doubled: (g, x, name, channels) =>
    conv(g, enlarge(g, x, 2), name, { ...channels, kernel: 3 }),
};

/**
 * The convolutions for which Winograd's algorithm pays on a CPU; below, the
 * transforms take more time than they save.
 */
const PAYING: WinogradChoice = { leastChannels: 256 };

/** The least side of a picture, below which the transform of filters prevails. */
const LEAST_SIDE = 160;

/**
 * The strips of a convolution by the level of its outputs, the largest pictures
 * first: one strip of level 0 takes 4.5 times its activations, and in four it
 * takes no more than the norm before it. More strips save no memory; their nodes
 * cost time at the start.
 */
const STRIPS = [4];

/**
 * Returns the choice of convolutions that use Winograd's algorithm for pictures
 * of a vision tokenizer; undefined if it pays for none.
 *
 * @param size Sides in pixels; by default those of large pictures.
 */
export function winogradFor(
  { baseChannels, channelMultipliers }: VisionConfig,
  { height, width } = { height: Infinity, width: Infinity },
): WinogradChoice | undefined {
  const most = baseChannels * Math.max(...channelMultipliers);
  return Math.min(height, width) >= LEAST_SIDE && most >= PAYING.leastChannels
    ? PAYING
    : undefined;
}

/**
 * Returns the convolutions of a level, whose pictures have 1 / 2^level of the
 * sides.
 */
export function convolutionsAt(
  g: Graph,
  config: VisionConfig,
  level: number,
): Convolutions {
  const { winograd } = g.options;
  if (winograd === undefined) return DIRECT;
  const stripsOf = (level: number) => STRIPS[level] ?? 1;
  // Sides in pixels are multiples of the pixels of a code.
  const uneven = spatialFactor(config) / 2 ** level % TILE !== 0;
  const tiled = new Winograd(g, {
    strips: stripsOf(level),
    doubledStrips: stripsOf(level - 1),
    uneven,
  });
  const pays = ({ from, to }: Channels) =>
    Math.min(from, to) >= winograd.leastChannels;
  return {
    same: (g, x, name, channels) =>
      pays(channels)
        ? tiled.same(x, name, channels)
        : DIRECT.same(g, x, name, channels),
    doubled: (g, x, name, channels) =>
      pays(channels)
        ? tiled.doubled(x, name, channels)
        : DIRECT.doubled(g, x, name, channels),
  };
}
