/**
 * The builder of an ONNX graph.
 *
 * Operators take and return {@linkcode Value}s; intermediate names are
 * generated. The scope is both the path of a node and the prefix of a
 * checkpoint key, so `g.weight("q_proj.weight", …)` in the scope
 * `model.layers.0.self_attn` finds its tensor.
 *
 * Building is deterministic: equal calls give equal bytes.
 *
 * @module
 */

import type { BuiltGraph, SuppliedWeight } from "./built_graph.ts";
import type { Dtype } from "./dtype.ts";
import type { GraphOptions } from "./graph_options.ts";
import {
  domainOf,
  encodeModel,
  type Initializer,
  type Node,
} from "./protobuf.ts";
import {
  type CodeBits,
  partOf,
  type Rows,
  type StoredTensor,
  type Weights,
} from "./weights.ts";
import type { Attributes, Port, Side } from "./nodes.ts";

/** The result of an operator, an input or a weight. */
export interface Value {
  /** Name in the graph; unique. */
  readonly name: string;
}

/** A weight as it is stored. */
export interface StoredValue {
  /** Value of the weight in the graph. */
  readonly value: Value;
  /** Type of its elements. */
  readonly dtype: Dtype;
}

/** A quantized matrix. */
export interface QuantizedValue {
  /** Bits of a code. */
  readonly bits: CodeBits;
  /** Number of codes that share a scale. */
  readonly blockSize: number;
  /** Codes, uint8 `[N, K / blockSize, blockSize · bits / 8]`. */
  readonly codes: Value;
  /** Scales `[N, K / blockSize]`, in the computing type. */
  readonly scales: Value;
}

/** Builds a graph. */
export class Graph {
  readonly #name: string;
  readonly #weights: Weights;
  readonly #options: GraphOptions;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  readonly #casts = new Map<string, Value>();
  readonly #traced: string[] = [];
  readonly #supplied = new Map<string, SuppliedWeight>();
  #path: readonly string[] = [];
  #counter = 0;

  /**
   * Creates an empty graph.
   *
   * @param name Name shown by profilers.
   */
  constructor(name: string, weights: Weights, options: GraphOptions) {
    this.#name = name;
    this.#weights = weights;
    this.#options = options;
  }

  /** Type of weights and activations in the graph. */
  get computeDtype(): Dtype {
    return this.#options.computeDtype;
  }

  /** Options of the graph. */
  get options(): GraphOptions {
    return this.#options;
  }

  /** Returns the checkpoint key of a name in this scope. */
  keyOf(name: string): string {
    return [...this.#path, name].join(".");
  }

  /** Runs `body` with `name` (dots allowed) appended to the path. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#path;
    this.#path = [...outer, name];
    try {
      return body();
    } finally {
      this.#path = outer;
    }
  }

  /** Declares an input. */
  input(
    name: string,
    dtype: Dtype,
    shape: readonly Side[] | undefined,
  ): Value {
    this.#inputs.push({ name, dtype, shape });
    return { name };
  }

  /** Makes `value` the output `name`. */
  output(
    name: string,
    value: Value,
    dtype: Dtype,
    shape: readonly Side[] | undefined,
  ): void {
    this.declareOutput(name, dtype, shape);
    this.#push("Identity", [value], [name], {});
  }

  /** Declares the result of this name as an output. */
  declareOutput(
    name: string,
    dtype: Dtype,
    shape: readonly Side[] | undefined,
  ): void {
    this.#outputs.push({ name, dtype, shape });
  }

  /** Adds an operator with one result. */
  apply(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
  ): Value {
    return this.applyMany(operator, inputs, 1, attributes)[0]!;
  }

  /** Adds an operator with `count` results. */
  applyMany(
    operator: string,
    inputs: readonly (Value | undefined)[],
    count: number,
    attributes: Attributes = {},
  ): Value[] {
    const names = Array.from({ length: count }, () => this.#unique(operator));
    this.#push(operator, inputs, names, attributes);
    return names.map((name) => ({ name }));
  }

  /**
   * Adds an operator whose results have the given names, such as those of
   * outputs.
   */
  applyNamed(
    operator: string,
    inputs: readonly (Value | undefined)[],
    names: readonly string[],
    attributes: Attributes = {},
  ): Value[] {
    this.#push(operator, inputs, names, attributes);
    return names.map((name) => ({ name }));
  }

  /**
   * Returns the checkpoint's tensor of this name in this scope, in the
   * computing type.
   *
   * @param shape Expected shape, according to the configuration.
   * @param rows Rows of the outermost dimension, addressed in place; all by
   * default.
   */
  weight(name: string, shape: readonly number[], rows?: Rows): Value {
    const key = this.keyOf(name);
    return this.#computing(key, this.#weights.find(key, shape), shape, rows);
  }

  /**
   * Returns the checkpoint's tensor of this name in this scope with other sides,
   * in the computing type.
   *
   * @param shape Expected shape, according to the configuration.
   * @param sides Sides of as many elements.
   */
  weightAs(
    name: string,
    shape: readonly number[],
    sides: readonly number[],
  ): Value {
    const key = this.keyOf(name);
    const stored = this.#weights.find(key, shape);
    const named = `${key}[${sides.join(", ")}]`;
    return this.#computing(named, stored, sides, undefined);
  }

  /** Returns the weight of this name, a matrix `[N, K]`, as `[K, N]`. */
  transposedWeight(
    name: string,
    shape: readonly [number, number],
    rows?: Rows,
  ): Value {
    if (!this.#options.supplied) {
      const weight = this.weight(name, shape, rows);
      return this.apply("Transpose", [weight], { perm: [1, 0] });
    }
    const key = this.keyOf(name);
    const stored = this.#weights.find(key, shape);
    const { name: of, part } = partOf(key, stored, shape, rows);
    return this.#supply(`${of}ᵀ`, part, this.computeDtype, true);
  }

  /** Returns the checkpoint's tensor of this name in this scope, as stored. */
  storedWeight(name: string, shape: readonly number[]): StoredValue {
    const key = this.keyOf(name);
    const stored = this.#weights.find(key, shape);
    return { value: this.#enter(key, stored, shape), dtype: stored.dtype };
  }

  /**
   * Returns the checkpoint's matrix of this name in this scope, if it is
   * quantized.
   *
   * @param rows Rows to use, addressed in place; all by default.
   */
  quantizedWeight(
    name: string,
    shape: readonly [number, number],
    rows?: Rows,
  ): QuantizedValue | undefined {
    const key = this.keyOf(name);
    const stored = this.#weights.findQuantized(key, shape);
    if (stored === undefined) return undefined;
    const { bits, blockSize, codes, scales } = stored;
    return {
      bits,
      blockSize,
      codes: this.#enter(`${key}/codes`, codes, codes.shape, rows),
      scales: this.#computing(`${key}/scales`, scales, scales.shape, rows),
    };
  }

  /** Adds a tensor that is part of the graph itself. */
  constant(
    dtype: Dtype,
    shape: readonly number[],
    data: ArrayBufferView<ArrayBuffer>,
  ): Value {
    const name = this.#unique("constant");
    this.#initializers.set(name, { name, dtype, shape, data });
    return { name };
  }

  /**
   * Adds a tensor that is passed to the session by its name. ONNX Runtime
   * requires a file all the same: that of the weights before it.
   */
  passed(name: string, dtype: Dtype, shape: readonly number[]): Value {
    const [{ stored: { location } }] = [...this.#supplied.values()] as [
      SuppliedWeight,
    ];
    this.#initializers.set(name, { name, dtype, shape, location });
    return { name };
  }

  /** Adds a list of integers, such as a shape or axes. */
  integers(...values: number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant("int64", [values.length], data);
  }

  /** Adds an integer, such as an index: `[]`. */
  scalar(value: number): Value {
    return this.constant("int64", [], BigInt64Array.of(BigInt(value)));
  }

  /** Adds a constant in the computing type. */
  floats(data: Float32Array<ArrayBuffer>, shape: readonly number[]): Value {
    const value = this.constant("float32", shape, data);
    return this.computeDtype === "float32"
      ? value
      : this.cast(value, this.computeDtype);
  }

  /** Casts `value` to another type. */
  cast(value: Value, dtype: Dtype): Value {
    return this.apply("Cast", [value], { to: { dtype } });
  }

  /**
   * Makes `value` an output when tracing, named by the scope and `name`;
   * repeated names are numbered.
   */
  mark(name: string, value: Value): void {
    if (!this.#options.trace) return;
    const path = `trace/${[...this.#path, name].join(".")}`;
    const again = this.#traced.filter((label) =>
      label === path || label.startsWith(`${path}#`)
    );
    const label = again.length === 0 ? path : `${path}#${again.length}`;
    this.#traced.push(label);
    this.output(label, value, this.computeDtype, undefined);
  }

  /** Returns the finished graph. */
  build(): BuiltGraph {
    const model = encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
    return {
      model,
      inputs: this.#inputs.map(({ name }) => name),
      outputs: this.#outputs.map(({ name }) => name),
      traced: this.#traced,
      supplied: [...this.#supplied.values()],
    };
  }

  /** Adds a stored tensor, cast to the computing type if it has another. */
  #computing(
    key: string,
    stored: StoredTensor,
    shape: readonly number[],
    rows: Rows | undefined,
  ): Value {
    if (this.#options.supplied) {
      return this.#enter(key, stored, shape, rows, this.computeDtype);
    }
    const value = this.#enter(key, stored, shape, rows);
    if (stored.dtype === this.computeDtype) return value;
    const known = this.#casts.get(value.name);
    if (known !== undefined) return known;
    const cast = this.cast(value, this.computeDtype);
    this.#casts.set(value.name, cast);
    return cast;
  }

  /** Adds a stored tensor, or rows of it, as an initializer of type `dtype`. */
  #enter(
    key: string,
    stored: StoredTensor,
    shape: readonly number[],
    rows?: Rows,
    dtype: Dtype = stored.dtype,
  ): Value {
    const { name, part } = partOf(key, stored, shape, rows);
    if (this.#options.supplied) return this.#supply(name, part, dtype);
    this.#initializers.set(name, { name, ...part });
    return { name };
  }

  /** Adds a stored tensor that is passed to the session as an initializer. */
  #supply(
    name: string,
    stored: StoredTensor,
    dtype: Dtype,
    transposed = false,
  ): Value {
    const shape = transposed ? stored.shape.toReversed() : stored.shape;
    this.#supplied.set(name, { name, dtype, shape, stored, transposed });
    const { location } = stored;
    this.#initializers.set(name, { name, dtype, shape, location });
    return { name };
  }

  #push(
    operator: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly string[],
    attributes: Attributes,
  ): void {
    this.#nodes.push({
      operator,
      domain: domainOf(operator),
      name: outputs[0]!,
      inputs: inputs.map((value) => value?.name ?? ""),
      outputs,
      attributes,
    });
  }

  #unique(kind: string): string {
    return [...this.#path, `${kind}_${this.#counter++}`].join("/");
  }
}
