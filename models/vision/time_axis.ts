/**
 * The layers over time, on two representations of frames.
 *
 * A *clip* is a five-dimensional tensor with three-dimensional convolutions. A
 * *still* is a picture that represents `temporalFactor` equal frames. Since most
 * of its frames are the same tensor, and only the decoder's first output frame
 * is used, each convolution over time is a sum of two-dimensional ones whose
 * kernels are sums of temporal slices. This is exact, and everything else runs
 * on one frame instead of four.
 *
 * All convolutions are causal: two frames of zeros before, none after.
 *
 * Shapes: B clips, C channels, T frames, h × w the sides of the grid of codes.
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";
import { swish } from "./blocks.ts";
import { nearest } from "./convolution.ts";
import { padded } from "./padding.ts";

/** The shape of a convolution over time and space. */
export interface CausalConvShape {
  /** Number of channels in and out. */
  readonly channels: number;
  /** Number of the kernel's frames. */
  readonly frames: number;
  /** Side of the kernel. */
  readonly kernel: number;
  /** Frames per step. */
  readonly stride: number;
}

/** The operations of a time axis; X is its representation of frames. */
export interface TimeAxis<X> {
  /** Adds the convolution whose weights are in scope `name`. */
  conv(g: Graph, x: X, name: string, shape: CausalConvShape): X;
  /** Repeats every frame. */
  double(g: Graph, x: X): X;
  /** Applies an operation to each frame alike. */
  map(x: X, apply: (frame: Value) => Value): X;
  /** Adds two clips frame by frame. */
  add(g: Graph, a: X, b: X): X;
}

/** Number of zero frames before the first. */
const PADDING = 2;

/** The default epsilon of BatchNorm3d. */
const BATCH_EPSILON = 1e-5;

/** The time axis of frames in one tensor `[B, C, T, h, w]`. */
export const CLIP: TimeAxis<Value> = {
  conv(g, x, name, { channels, frames, kernel, stride }) {
    const pad = (kernel - 1) / 2;
    return g.scope(`${name}.conv`, () => {
      const { input, pads } = padded(g, x, [PADDING, pad, pad, 0, pad, pad]);
      return g.apply("Conv", [
        input,
        g.weight("weight", [channels, channels, frames, kernel, kernel]),
        g.weight("bias", [channels]),
      ], {
        kernel_shape: [frames, kernel, kernel],
        strides: [stride, 1, 1],
        pads,
      });
    });
  },
  double: (g, x) => nearest(g, x, Float32Array.of(1, 1, 2, 1, 1)),
  map: (x, apply) => apply(x),
  add: (g, a, b) => g.apply("Add", [a, b]),
};

/**
 * The time axis of one tensor `[B, C, h, w]` per frame; equal frames are the
 * same value.
 */
export const STILL: TimeAxis<readonly Value[]> = {
  conv(g, frames, name, shape) {
    const steps = Math.max(1, Math.floor(frames.length / shape.stride));
    const known = new Map<string, Value>();
    return g.scope(
      `${name}.conv`,
      () =>
        Array.from({ length: steps }, (_, step) => {
          const taps = tapsAt(frames, step * shape.stride, shape.frames);
          const pattern = JSON.stringify(
            [...taps].map(([{ name }, slices]) => [name, slices]),
          );
          const value = known.get(pattern) ?? foldedConv(g, taps, shape);
          known.set(pattern, value);
          return value;
        }),
    );
  },
  // Only the first frame of a doubled still is used.
  double: (_, frames) => frames,
  map(frames, apply) {
    const known = new Map<Value, Value>();
    return frames.map((frame) => {
      const value = known.get(frame) ?? apply(frame);
      known.set(frame, value);
      return value;
    });
  },
  add: (g, a, b) => a.map((frame, i) => g.apply("Add", [frame, b[i]])),
};

/**
 * Returns the kernel slices that apply to each frame, without padding frames.
 */
function tapsAt(
  frames: readonly Value[],
  start: number,
  kernelFrames: number,
): Map<Value, number[]> {
  const taps = new Map<Value, number[]>();
  for (let slice = 0; slice < kernelFrames; slice++) {
    const frame = frames[start + slice - PADDING];
    if (frame === undefined) continue;
    taps.set(frame, [...taps.get(frame) ?? [], slice]);
  }
  return taps;
}

/** Adds `Σ conv2d(frame, Σ kernel slices) + bias`. */
function foldedConv(
  g: Graph,
  taps: ReadonlyMap<Value, readonly number[]>,
  { channels, frames, kernel }: CausalConvShape,
): Value {
  const weight = g.weight("weight", [
    channels,
    channels,
    frames,
    kernel,
    kernel,
  ]);
  const pad = (kernel - 1) / 2;
  const slice = (index: number) =>
    g.apply("Gather", [weight, g.scalar(index)], { axis: 2 });
  const sum = (values: readonly Value[]) =>
    values.reduce((a, b) => g.apply("Add", [a, b]));
  const parts = [...taps].map(([frame, slices], part) =>
    g.apply("Conv", [
      frame,
      sum(slices.map(slice)),
      // The bias is added once.
      part === 0 ? g.weight("bias", [channels]) : undefined,
    ], { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad] })
  );
  return sum(parts);
}

/** Adds consecutive residual blocks, in scopes `time_res_stack.{i}`. */
export function temporalResidualStack<X>(
  g: Graph,
  axis: TimeAxis<X>,
  x: X,
  { blocks, channels }: { blocks: number; channels: number },
): X {
  let out = x;
  for (let i = 0; i < blocks; i++) {
    const name = `time_res_stack.${i}`;
    out = temporalResidualBlock(g, axis, out, name, channels);
  }
  return marked(g, axis, out, "time_res_stack");
}

/** Marks the frames for a trace under `name`, and returns them. */
export function marked<X>(
  g: Graph,
  axis: TimeAxis<X>,
  x: X,
  name: string,
): X {
  return axis.map(x, (frame) => {
    g.mark(name, frame);
    return frame;
  });
}

/**
 * ```text
 * x ─┬▶ norm1 ▶ swish ▶ conv1 ▶ norm2 ▶ swish ▶ conv2 ─▶ + ─▶
 *    └───────────────────────────────────────────────────┘
 * ```
 */
function temporalResidualBlock<X>(
  g: Graph,
  axis: TimeAxis<X>,
  x: X,
  name: string,
  channels: number,
): X {
  const shape = { channels, frames: 3, kernel: 3, stride: 1 };
  return g.scope(name, () => {
    const activated = (input: X, norm: string) =>
      axis.map(input, (frame) => swish(g, batchNorm(g, frame, norm, channels)));
    const first = axis.conv(g, activated(x, "norm1"), "conv1", shape);
    const second = axis.conv(g, activated(first, "norm2"), "conv2", shape);
    return axis.add(g, x, second);
  });
}

/** Adds BatchNorm with running statistics, as in evaluation. */
function batchNorm(
  g: Graph,
  x: Value,
  name: string,
  channels: number,
): Value {
  return g.scope(name, () =>
    g.apply("BatchNormalization", [
      x,
      ...["weight", "bias", "running_mean", "running_var"].map((part) =>
        g.weight(part, [channels])
      ),
    ], { epsilon: { float: BATCH_EPSILON } }));
}
