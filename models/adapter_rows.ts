/**
 * The linear layers with LoRA adapters, one or none for each row.
 *
 * ```text
 * x ─┬─▶ x · Wᵀ ───────────────────────────┬─▶ y of rows without an adapter
 *    └─▶ x · A[index] ─▶ · B[index] ─▶ + ──┴─▶ y of rows with one
 * ```
 *
 * A and B of all adapters are stacked, and each row gathers its own, so that
 * rows of different adapters share a run. The base's product is the same
 * operator as without adapters, so rows without an adapter have bit-identical
 * results.
 *
 * Shapes: see `decoder.ts`; G adapters, r the maximum rank of a matrix, K
 * inputs, M outputs.
 *
 * @module
 */

import type { Arrangement } from "./attention.ts";
import type { Graph, Value } from "./graph/graph.ts";
import { linear } from "./linear.ts";

/** The shape of the adapter inputs of a decoder's graph. */
export interface AdapterStackShape {
  /** Number of adapters, G. */
  readonly count: number;
  /** Maximum rank of each adapted matrix, by key without `.weight`. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** A function that adds the linear layer of a name in the current scope. */
export type Linear = (
  g: Graph,
  x: Value,
  name: string,
  shape: readonly [number, number],
) => Value;

/** Name of the input with the index of each row's adapter. */
export const ADAPTER_INDEX = "adapter_index";

/** Name of the input that is true for rows with an adapter. */
export const ADAPTER_USED = "adapter_used";

/** Returns the names of the inputs with A and B of a matrix. */
export function stackNames(key: string): { a: string; b: string } {
  return { a: `${key}.lora_A`, b: `${key}.lora_B` };
}

/** Returns the shape of the input `adapter_used` for a number of rows. */
export function usedShape(
  arrangement: Arrangement["type"],
  rows: number,
): readonly number[] {
  return arrangement === "two_token" ? [rows, 1] : [rows, 1, 1];
}

/**
 * Declares the inputs of adapters; returns the function that adds linear
 * layers with them. Without adapters it is {@linkcode linear} itself.
 *
 * Inputs: `adapter_index` int64 `[B]`, any index for rows without an adapter;
 * `adapter_used` bool, `[B, 1, 1]`, `[N, 1]` for pairs; for each adapted matrix
 * `{key}.lora_A` `[G, K, r]` and `{key}.lora_B` `[G, r, M]`, times the factor.
 */
export function adaptedLinear(
  g: Graph,
  adapters: AdapterStackShape | undefined,
  arrangement: Arrangement,
): Linear {
  if (adapters === undefined) return linear;
  const packed = arrangement.type === "two_token";
  const rows = packed ? "N" : "B";
  const index = g.input(ADAPTER_INDEX, "int64", [rows]);
  const used = g.input(
    ADAPTER_USED,
    "bool",
    packed ? [rows, 1] : [rows, 1, 1],
  );
  // `Where` does not support bf16 on every device; `Mul` does.
  const selects = g.computeDtype !== "bfloat16";
  const factor = selects ? undefined : g.cast(used, g.computeDtype);
  const one = packed ? g.integers(1) : undefined;
  return (g, x, name, shape) => {
    const base = linear(g, x, name, shape);
    const key = g.keyOf(name);
    const rank = adapters.ranks.get(key);
    if (rank === undefined) return base;
    const [outputs, inputs] = shape;
    const stack = (name: string, sides: readonly number[]) =>
      g.apply("Gather", [
        g.input(name, g.computeDtype, [adapters.count, ...sides]),
        index,
      ]);
    const names = stackNames(key);
    const a = stack(names.a, [inputs, rank]); // [B, K, r]
    const b = stack(names.b, [rank, outputs]); // [B, r, M]
    const rowed = one === undefined ? x : g.apply("Unsqueeze", [x, one]);
    const product = g.apply("MatMul", [g.apply("MatMul", [rowed, a]), b]);
    const delta = one === undefined
      ? product
      : g.apply("Squeeze", [product, one]);
    return factor === undefined
      ? g.apply("Where", [used, g.apply("Add", [base, delta]), base])
      : g.apply("Add", [base, g.apply("Mul", [delta, factor])]);
  };
}
