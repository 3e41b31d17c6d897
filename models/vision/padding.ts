/**
 * The padding of convolutions: as an attribute, or with its asymmetric part as
 * a node of its own.
 *
 * ```text
 * pads [0, 0 | 1, 1]   ─▶ Pad [0, 0 | 1, 1] ─▶ Conv [0, 0 | 0, 0]
 * pads [2, 1 | 0, 1]   ─▶ Pad [2, 0 | 0, 0] ─▶ Conv [0, 1 | 0, 1]
 * ```
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";

/** The input of a convolution and its attribute `pads`. */
export interface PaddedInput {
  /** Input of the convolution. */
  readonly input: Value;
  /** Padding that is left to the convolution, begins before ends. */
  readonly pads: readonly number[];
}

/** The dimensions of batch and channels, which are never padded. */
const LEADING = 2;

/**
 * Returns the input and the padding of a convolution. If the device supports
 * symmetric padding only, an operator pads the longer end of each axis first.
 *
 * @param pads Zeros to add, the begins of all axes before their ends.
 */
export function padded(
  g: Graph,
  x: Value,
  pads: readonly number[],
): PaddedInput {
  const count = pads.length / 2;
  const symmetric = pads.map((pad, i) =>
    Math.min(pad, pads[(i + count) % (2 * count)]!)
  );
  const rest = pads.map((pad, i) => pad - symmetric[i]!);
  if (!g.options.symmetricPads || rest.every((pad) => pad === 0)) {
    return { input: x, pads };
  }
  // With named axes, as ONNX Runtime would fuse the node into the convolution
  // otherwise (onnxruntime/core/optimizer/pad_fusion.cc).
  const axes = Array.from({ length: count }, (_, axis) => axis + LEADING);
  const input = g.apply("Pad", [
    x,
    g.integers(...rest),
    undefined,
    g.integers(...axes),
  ]);
  return { input, pads: symmetric };
}
