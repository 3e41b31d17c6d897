/**
 * The matrix in few bits as floats, inside a graph.
 *
 * Arithmetic alone takes codes of 4 bits apart, as not every provider shifts
 * bytes: `high = floor(byte / 16)`, `low = byte - 16 · high`, exact in floats.
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";
import type { Dtype } from "../graph/dtype.ts";
import type { CodeBits } from "../graph/weights.ts";

/** The form of codes and scales. */
export interface CodesForm {
  /** Bits of a code. */
  readonly bits: CodeBits;
  /** Number of codes that share a scale. */
  readonly blockSize: number;
  /** Type of the scales. */
  readonly scaleDtype: Dtype;
}

/**
 * Declares the inputs `{name}.codes` and `{name}.scales`, and returns the
 * matrix `[N, K]` in the computing type: `(code - 2^(bits - 1)) · scale`.
 */
export function dequantized(
  g: Graph,
  name: string,
  [N, K]: readonly [number, number],
  { bits, blockSize, scaleDtype }: CodesForm,
): Value {
  const blocks = Math.ceil(K / blockSize);
  const bytes = blockSize * bits / 8;
  const stored = g.input(`${name}.codes`, "uint8", [N, blocks, bytes]);
  const scales = g.input(`${name}.scales`, scaleDtype, [N, blocks]);
  const codes = bits === 8
    ? g.cast(stored, "float32")
    : halves(g, stored, [N, blocks, blockSize]);
  const zero = g.constant("float32", [], Float32Array.of(2 ** (bits - 1)));
  const scale = g.apply("Unsqueeze", [
    scaleDtype === "float32" ? scales : g.cast(scales, "float32"),
    g.integers(2),
  ]);
  const values = g.apply("Mul", [g.apply("Sub", [codes, zero]), scale]);
  const matrix = g.apply("Reshape", [
    values,
    g.integers(N, blocks * blockSize),
  ]);
  return g.computeDtype === "float32" ? matrix : g.cast(matrix, g.computeDtype);
}

/** Returns both halves of bytes, the low one first, as floats of `shape`. */
function halves(
  g: Graph,
  stored: Value,
  shape: readonly number[],
): Value {
  const byte = g.cast(stored, "float32");
  const sixteen = g.constant("float32", [], Float32Array.of(16));
  const high = g.apply("Floor", [g.apply("Div", [byte, sixteen])]);
  const low = g.apply("Sub", [byte, g.apply("Mul", [high, sixteen])]);
  const last = g.integers(3);
  const both = g.apply("Concat", [
    g.apply("Unsqueeze", [low, last]),
    g.apply("Unsqueeze", [high, last]),
  ], { axis: 3 });
  return g.apply("Reshape", [both, g.integers(...shape)]);
}
