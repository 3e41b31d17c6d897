/**
 * The linear layers with LoRA adapters, one or none for each row.
 *
 * ```text
 * x ─┬─▶ x · Wᵀ ────────────────────────────┬─▶ y of rows without an adapter
 *    ├─▶ · A of all ─▶ mask ─▶ · B of all ─▶ + ─▶ y of rows with one   (steps)
 *    └─▶ · A[index] ─────────▶ · B[index] ─▶ + ─▶ the same         (elsewhere)
 * ```
 *
 * Steps have many rows of one token: each row multiplies with all adapters, and
 * a mask keeps its own, so that each weight is read once. Prompts and windows
 * have a few rows of many tokens, which gather their own A and B. Either way rows of different adapters share a run,
 * the base's product is the same operator as without adapters, and rows without
 * one have bit-identical results.
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
  /** True if steps multiply with all adapters; they gather by default. */
  readonly masked?: boolean;
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

/** Returns the name of the input with the masks of matrices of a rank. */
export function maskName(rank: number): string {
  return `adapter_mask.${rank}`;
}

/** Returns the names of A and B of a matrix, inputs or constants. */
export function stackNames(key: string): { a: string; b: string } {
  return { a: `${key}.lora_A`, b: `${key}.lora_B` };
}

/** Returns true if the rows of an arrangement are masked. */
export function isMasked(
  { masked = false }: Pick<AdapterStackShape, "masked">,
  arrangement: Arrangement["type"],
): boolean {
  return masked && arrangement !== "multi_token";
}

/** Returns the sides of an input with `width` values for each of some rows. */
export function rowShape(
  arrangement: Arrangement["type"],
  rows: number,
  width: number,
): readonly number[] {
  return arrangement === "two_token" ? [rows, width] : [rows, 1, width];
}

/**
 * Declares the inputs of adapters; returns the function that adds linear
 * layers with them. Without adapters it is {@linkcode linear} itself.
 *
 * Inputs: `adapter_used` bool `[B, 1, 1]`, for pairs `[N, 1]`. Gathered:
 * `adapter_index` int64 `[B]`, any index for rows without an adapter; for each
 * adapted matrix `{key}.lora_A` `[G, r, K]`, on devices that multiply with `[in,
 * out]` alone `[G, K, r]`, and `{key}.lora_B` `[G, r, M]`, times the factor.
 * Masked: `adapter_mask.{r}` bool `[B, 1, G · r]`, for pairs `[N, G · r]`, for
 * each rank; A `[G · r, K]` and B `[G · r, M]` are constants.
 */
export function adaptedLinear(
  g: Graph,
  adapters: AdapterStackShape | undefined,
  arrangement: Arrangement,
): Linear {
  if (adapters === undefined) return linear;
  const delta = isMasked(adapters, arrangement.type)
    ? maskedProduct(g, adapters, arrangement.type)
    : gatheredProduct(g, adapters, arrangement.type);
  const { used } = delta;
  // `Where` does not support bf16 on every device; `Mul` does.
  const factor = g.computeDtype === "bfloat16"
    ? g.cast(used, g.computeDtype)
    : undefined;
  return (g, x, name, shape) => {
    const base = linear(g, x, name, shape);
    const key = g.keyOf(name);
    const rank = adapters.ranks.get(key);
    if (rank === undefined) return base;
    const added = delta.of(x, { key, shape, rank });
    return factor === undefined
      ? g.apply("Where", [used, g.apply("Add", [base, added]), base])
      : g.apply("Add", [base, g.apply("Mul", [added, factor])]);
  };
}

/** An adapted matrix. */
interface Adapted {
  readonly key: string;
  readonly shape: readonly [number, number];
  readonly rank: number;
}

/** The product with each row's A and B. */
interface Product {
  /** True for rows with an adapter, of the rank of the products. */
  readonly used: Value;
  /** Adds the product of `x`. */
  readonly of: (x: Value, matrix: Adapted) => Value;
}

function gatheredProduct(
  g: Graph,
  { count }: AdapterStackShape,
  arrangement: Arrangement["type"],
): Product {
  const flat = arrangement === "two_token";
  const index = g.input(ADAPTER_INDEX, "int64", [flat ? "N" : "B"]);
  const used = usedInput(g, arrangement);
  const one = flat ? g.integers(1) : undefined;
  const { transposed = false } = g.options;
  return {
    used,
    of: (x, { key, shape: [outputs, inputs], rank }) => {
      const stack = (name: string, sides: readonly number[]) =>
        g.apply("Gather", [
          g.input(name, g.computeDtype, [count, ...sides]),
          index,
        ]);
      const names = stackNames(key);
      const a = stack(names.a, transposed ? [inputs, rank] : [rank, inputs]);
      const b = stack(names.b, [rank, outputs]); // [B, r, M]
      const rowed = one === undefined ? x : g.apply("Unsqueeze", [x, one]);
      const reduced = transposed
        ? g.apply("MatMul", [rowed, a])
        : g.apply("FusedMatMul", [rowed, a], { transB: 1 }); // [B, S, r]
      const product = g.apply("MatMul", [reduced, b]);
      return one === undefined ? product : g.apply("Squeeze", [product, one]);
    },
  };
}

function maskedProduct(
  g: Graph,
  { count, ranks }: AdapterStackShape,
  arrangement: Arrangement["type"],
): Product {
  const used = usedInput(g, arrangement);
  const sides = arrangement === "two_token" ? ["N"] : ["B", 1];
  const masks = new Map(
    [...new Set(ranks.values())].map((rank) => [
      rank,
      g.input(maskName(rank), "bool", [...sides, count * rank]),
    ]),
  );
  const zero = g.floats(Float32Array.of(0), []);
  return {
    used,
    of: (x, { key, shape: [outputs, inputs], rank }) => {
      const names = stackNames(key);
      const a = g.passed(names.a, g.computeDtype, [count * rank, inputs]);
      const b = g.passed(names.b, g.computeDtype, [count * rank, outputs]);
      const all = g.apply("FusedMatMul", [x, a], { transB: 1 });
      // Not a product with zero: that of infinity is no number.
      const own = g.apply("Where", [masks.get(rank)!, all, zero]);
      return g.apply("MatMul", [own, b]);
    },
  };
}

function usedInput(g: Graph, arrangement: Arrangement["type"]): Value {
  const sides = arrangement === "two_token" ? ["N", 1] : ["B", 1, 1];
  return g.input(ADAPTER_USED, "bool", sides);
}
