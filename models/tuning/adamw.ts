/**
 * AdamW as a graph: a parameter and its moments, updated in place.
 *
 * ```text
 * g ← clip · g
 * m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 * p ← decay · p − rate · m / (√v · correction + ε)
 * ```
 *
 * `decay = 1 − lr · weight decay`, `rate = lr / (1 − β₁ᵗ)` and
 * `correction = 1 / √(1 − β₂ᵗ)` change from step to step and are inputs.
 * Source: torch.optim.AdamW, Loshchilov and Hutter (arXiv 1711.05101).
 *
 * @module
 */

import type { BuiltGraph } from "../graph/built_graph.ts";
import type { Value } from "../graph/graph.ts";
import { weightlessGraph } from "../graph/weightless.ts";
import { updatedName } from "./matrix.ts";

/** The constants of AdamW. */
export interface AdamwConstants {
  /** Decay of the first moment, β₁. */
  readonly beta1: number;
  /** Decay of the second moment, β₂. */
  readonly beta2: number;
  /** Number added to the root of the second moment, ε. */
  readonly epsilon: number;
}

/** Names of the inputs that change from step to step, float32 `[]` each. */
export const ADAMW_SCALARS = ["clip", "decay", "rate", "correction"] as const;

/**
 * Builds the update: `parameter`, `first`, `second` and `gradient`, float32
 * `[C]` → `parameter.new`, `first.new`, `second.new`, to be bound to the same
 * memory.
 */
export function adamwGraph(
  { beta1, beta2, epsilon }: AdamwConstants,
): BuiltGraph {
  const g = weightlessGraph("adamw");
  const vector = (name: string) => g.input(name, "float32", ["C"]);
  const [parameter, first, second, given] = [
    vector("parameter"),
    vector("first"),
    vector("second"),
    vector("gradient"),
  ];
  const [clip, decay, rate, correction] = ADAMW_SCALARS.map((name) =>
    g.input(name, "float32", [])
  );
  const number = (value: number) =>
    g.constant("float32", [], Float32Array.of(value));
  const mul = (a: Value, b: Value) => g.apply("Mul", [a, b]);
  const updated = (name: string, operator: string, a: Value, b: Value) => {
    const [value] = g.applyNamed(operator, [a, b], [updatedName(name)]);
    g.declareOutput(updatedName(name), "float32", ["C"]);
    return value!;
  };
  const gradient = mul(given, clip!);
  const m = updated(
    "first",
    "Add",
    mul(first, number(beta1)),
    mul(gradient, number(1 - beta1)),
  );
  const v = updated(
    "second",
    "Add",
    mul(second, number(beta2)),
    mul(mul(gradient, gradient), number(1 - beta2)),
  );
  const root = mul(g.apply("Sqrt", [v]), correction!);
  const step = g.apply("Div", [m, g.apply("Add", [root, number(epsilon)])]);
  updated("parameter", "Sub", mul(parameter, decay!), mul(step, rate!));
  return g.build();
}

/**
 * Builds the sum of gradients: `gradient` and `other`, float32 `[C]` →
 * `gradient.new`, to be bound to the memory of `gradient`.
 */
export function gradientSumGraph(): BuiltGraph {
  const g = weightlessGraph("gradient_sum");
  const gradient = g.input("gradient", "float32", ["C"]);
  const other = g.input("other", "float32", ["C"]);
  const sum = g.apply("Add", [gradient, other]);
  g.output(updatedName("gradient"), sum, "float32", ["C"]);
  return g.build();
}

/** Builds the norm: `gradient` float32 `[C]` → `squares` float32 `[1]`. */
export function squaresGraph(): BuiltGraph {
  const g = weightlessGraph("squares");
  const gradient = g.input("gradient", "float32", ["C"]);
  const sum = g.apply("ReduceSumSquare", [gradient], { keepdims: 1 });
  g.output("squares", sum, "float32", [1]);
  return g.build();
}
