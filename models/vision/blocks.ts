/**
 * The two-dimensional blocks of the vision tokenizer.
 *
 * Shapes: C channels, H × W the sides at a level, h × w the sides of the grid of
 * codes, G groups of channels, Z channels of a codebook vector.
 *
 * Scopes are keys of the original layout. Source: modeling_emu3visionvq.py of
 * baaivision/Emu3.
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";
import { conv, type Convolutions } from "./convolution.ts";

/** Number of groups in every GroupNorm. */
const GROUPS = 32;
const GROUP_EPSILON = 1e-6;

/**
 * A function that normalizes `[1, C, H, W]` with the weights in scope `name`.
 */
export type Norm = (
  g: Graph,
  x: Value,
  name: string,
  channels: number,
) => Value;

/** Adds `x · sigmoid(x)`, also known as SiLU. */
export function swish(g: Graph, x: Value): Value {
  return g.apply("Mul", [x, g.apply("Sigmoid", [x])]);
}

/**
 * Adds GroupNorm as InstanceNorm over groups, which every device supports.
 *
 * ```text
 * [1, C, H, W] ─▶ [1, G, C/G·H·W] ─▶ normalize ─▶ [1, C, H, W] ─▶ · weight + bias
 * ```
 */
export function groupNorm(
  g: Graph,
  x: Value,
  name: string,
  channels: number,
): Value {
  return g.scope(name, () => {
    const grouped = g.apply("Reshape", [x, g.integers(0, GROUPS, -1)]);
    const ones = new Float32Array(GROUPS).fill(1);
    const zeros = new Float32Array(GROUPS);
    const normed = g.apply("InstanceNormalization", [
      grouped,
      g.floats(ones, [GROUPS]),
      g.floats(zeros, [GROUPS]),
    ], { epsilon: { float: GROUP_EPSILON } });
    const back = g.apply("Reshape", [normed, g.apply("Shape", [x])]);
    return affine(g, back, channels);
  });
}

/**
 * Returns a norm that is modulated by the codes: `GroupNorm(x) · y(zq) +
 * b(zq)`.
 *
 * ```text
 * x  ─▶ norm_layer ──▶ · ──▶ + ──▶
 * zq ─▶ conv_y ────────┘     │
 *    └▶ conv_b ──────────────┘
 * ```
 *
 * @param codes Codebook vectors resized to the sides of `x`, `[1, Z, H, W]`.
 * @param embedSize Width of a codebook vector, Z.
 */
export function spatialNorm(codes: Value, embedSize: number): Norm {
  return (g, x, name, channels) =>
    g.scope(name, () => {
      const shape = { from: embedSize, to: channels, kernel: 1 };
      const normed = groupNorm(g, x, "norm_layer", channels);
      const factor = conv(g, after(g, codes, normed), "conv_y", shape);
      const scaled = g.apply("Mul", [normed, factor]);
      const offset = conv(g, after(g, codes, scaled), "conv_b", shape);
      return g.apply("Add", [scaled, offset]);
    });
}

/**
 * Returns `value` as it is, computed after `other`, `[…, H, W]` both.
 *
 * The order of a run follows dependencies alone: without one, what is computed
 * of the codes for all norms would be held from the beginning of a run on, two
 * thirds of its memory.
 */
function after(g: Graph, value: Value, other: Value): Value {
  const sides = g.apply("Shape", [other], { start: 2 });
  return g.apply("Expand", [value, sides]);
}

/** The shape of a residual block. */
export interface ResidualShape {
  /** Number of channels in. */
  readonly from: number;
  /** Number of channels out. */
  readonly to: number;
  /** Norm of the block. */
  readonly norm: Norm;
  /** Convolutions of the block. */
  readonly convolutions: Convolutions;
}

/**
 * ```text
 * x ─┬▶ norm1 ▶ swish ▶ conv1 ▶ norm2 ▶ swish ▶ conv2 ─▶ + ─▶
 *    └──────────── nin_shortcut, if channels change ─────┘
 * ```
 */
function residualBlock(
  g: Graph,
  x: Value,
  name: string,
  { from, to, norm, convolutions }: ResidualShape,
): Value {
  return g.scope(name, () => {
    const first = swish(g, norm(g, x, "norm1", from));
    const middle = convolutions.same(g, first, "conv1", { from, to });
    const second = swish(g, norm(g, middle, "norm2", to));
    const last = convolutions.same(g, second, "conv2", { from: to, to });
    const skip = from === to
      ? x
      : conv(g, x, "nin_shortcut", { from, to, kernel: 1 });
    return g.apply("Add", [skip, last]);
  });
}

/**
 * Adds single-head attention over all positions of a frame.
 *
 * ```text
 * x ─┬▶ norm ▶ [1, H·W, C] ▶ q, k, v ▶ softmax(qkᵀ/√C)·v ▶ proj_out ─▶ + ─▶
 *    └────────────────────────────────────────────────────────────────┘
 * ```
 */
function attentionBlock(
  g: Graph,
  x: Value,
  name: string,
  { channels, norm }: { channels: number; norm: Norm },
): Value {
  return g.scope(name, () => {
    const normed = norm(g, x, "norm", channels);
    const flat = g.apply("Reshape", [normed, g.integers(0, channels, -1)]);
    const tokens = g.apply("Transpose", [flat], { perm: [0, 2, 1] });
    const project = (input: Value, part: string) =>
      g.scope(part, () => {
        const weight = g.weight("weight", [channels, channels]);
        const product = g.apply("FusedMatMul", [input, weight], { transB: 1 });
        return g.apply("Add", [product, g.weight("bias", [channels])]);
      });
    const attended = g.apply("MultiHeadAttention", [
      project(tokens, "q"),
      project(tokens, "k"),
      project(tokens, "v"),
    ], { num_heads: 1 });
    const out = g.apply("Transpose", [project(attended, "proj_out")], {
      perm: [0, 2, 1],
    });
    const back = g.apply("Reshape", [out, g.apply("Shape", [x])]);
    return g.apply("Add", [x, back]);
  });
}

/** The shape of a level's blocks. */
export interface LevelShape extends ResidualShape {
  /** Number of residual blocks. */
  readonly blocks: number;
  /** True if attention follows each block. */
  readonly attention: boolean;
}

/**
 * Adds residual blocks `block.{i}`, each followed by attention `attn.{i}` if
 * any.
 */
export function levelBlocks(
  g: Graph,
  x: Value,
  { blocks, attention, from, to, norm, convolutions }: LevelShape,
): Value {
  let out = x;
  for (let i = 0; i < blocks; i++) {
    const shape = { from: i === 0 ? from : to, to, norm, convolutions };
    out = residualBlock(g, out, `block.${i}`, shape);
    g.mark(`block.${i}`, out);
    if (attention) {
      out = attentionBlock(g, out, `attn.${i}`, { channels: to, norm });
    }
  }
  return out;
}

/** Adds residual block, attention, residual block. */
export function middleBlock(
  g: Graph,
  x: Value,
  { channels, norm, convolutions }: {
    channels: number;
    norm: Norm;
    convolutions: Convolutions;
  },
): Value {
  return g.scope("mid", () => {
    const shape = { from: channels, to: channels, norm, convolutions };
    const first = residualBlock(g, x, "block_1", shape);
    g.mark("block_1", first);
    const attended = attentionBlock(g, first, "attn_1", { channels, norm });
    g.mark("attn_1", attended);
    const second = residualBlock(g, attended, "block_2", shape);
    g.mark("block_2", second);
    return second;
  });
}

function affine(g: Graph, x: Value, channels: number): Value {
  const perChannel = (part: string) =>
    g.apply("Reshape", [
      g.weight(part, [channels]),
      g.integers(channels, 1, 1),
    ]);
  const scaled = g.apply("Mul", [x, perChannel("weight")]);
  return g.apply("Add", [scaled, perChannel("bias")]);
}
