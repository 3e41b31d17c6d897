/**
 * The activations that a backward pass needs from the forward pass.
 *
 * ```text
 * kept      computed, and outputs of the graph
 * given     inputs of the graph
 * dropped   computed, where they are needed
 * ```
 *
 * A value is made on its first use only, so that a graph has no operator whose
 * result is unused.
 *
 * @module
 */

import type { Graph, Value } from "../graph/graph.ts";
import type { Side } from "../graph/nodes.ts";

/** Treatment of activations. */
export type ActivationMode = "kept" | "given" | "dropped";

/** Holds the activations of one graph by name. */
export class Activations {
  readonly #g: Graph;
  readonly #mode: ActivationMode;
  readonly #values = new Map<string, Value>();
  readonly #others = new Map<string, unknown>();

  /** Creates the store of a graph. */
  constructor(g: Graph, mode: ActivationMode) {
    this.#g = g;
    this.#mode = mode;
  }

  /** Returns the activation `name`, in the computing type. */
  value(name: string, shape: readonly Side[], compute: () => Value): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const dtype = this.#g.computeDtype;
    const value = this.#mode === "given"
      ? this.#g.input(keptName(name), dtype, shape)
      : compute();
    if (this.#mode === "kept") {
      this.#g.output(keptName(name), value, dtype, shape);
    }
    this.#values.set(name, value);
    return value;
  }

  /**
   * Returns a function that makes a value on its first call, one for each name.
   */
  once<T>(name: string, make: () => T): () => T {
    return () => {
      if (!this.#others.has(name)) this.#others.set(name, make());
      return this.#others.get(name) as T;
    };
  }
}

/** Returns the name of a kept activation in both graphs. */
export function keptName(name: string): string {
  return `kept.${name}`;
}
