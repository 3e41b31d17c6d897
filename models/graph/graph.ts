/**
 * An ONNX graph under construction.
 *
 * Operators take and give {@linkcode Value}s; no intermediate name is ever
 * spelled. The scope is at once the path of a node and the prefix of a
 * checkpoint key, so `g.weight("q_proj.weight", …)` in the scope
 * `model.layers.0.self_attn` finds its tensor with no table between.
 *
 * Building is deterministic: the same calls give the same bytes.
 *
 * @module
 */

import { type Dtype, DTYPE_BYTES, elementCount } from "./dtype.ts";
import { encodeModel, type Initializer, type Node } from "./protobuf.ts";
import type { StoredTensor, Weights } from "./weights.ts";

/** The result of an operator, an input or a weight. */
export interface Value {
  /** In the graph; unique. */
  readonly name: string;
}

/** A side that is known (number) or named (string). */
export type Side = number | string;

/** An attribute: integers are numbers, floats are wrapped to tell them apart. */
export type Attribute =
  | number
  | string
  | { readonly float: number }
  | { readonly dtype: Dtype }
  | readonly number[];

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** A graph's input or output. */
export interface Port {
  /** As the session is to be bound. */
  readonly name: string;
  /** Element type. */
  readonly dtype: Dtype;
  /** Sides, outermost first; undefined where even their number is open. */
  readonly shape: readonly Side[] | undefined;
}

/** How to build. */
export interface GraphOptions {
  /** Type in which weights enter and activations are. */
  readonly computeDtype: Dtype;
  /** Whether marked values become outputs, to look inside. */
  readonly trace?: boolean;
}

/** Part of a stored matrix. */
export interface Rows {
  /** First row. */
  readonly start: number;
  /** How many. */
  readonly count: number;
}

/** Operators of ONNX Runtime's own that are not in ONNX. */
const CONTRIB_DOMAIN = "com.microsoft";
const CONTRIB_OPERATORS = new Set([
  "FusedMatMul",
  "GroupQueryAttention",
  "MultiHeadAttention",
]);

/** A graph under construction. */
export class Graph {
  readonly #name: string;
  readonly #weights: Weights;
  readonly #options: GraphOptions;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  readonly #entered = new Map<string, Value>();
  readonly #traced: string[] = [];
  #path: readonly string[] = [];
  #counter = 0;

  /**
   * Starts empty.
   *
   * @param name Shown by profilers.
   */
  constructor(name: string, weights: Weights, options: GraphOptions) {
    this.#name = name;
    this.#weights = weights;
    this.#options = options;
  }

  /** Type in which weights enter and activations are. */
  get computeDtype(): Dtype {
    return this.#options.computeDtype;
  }

  /** Names of the outputs that {@linkcode Graph.mark} has made. */
  get traced(): readonly string[] {
    return this.#traced;
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
  input(name: string, dtype: Dtype, shape: readonly Side[]): Value {
    this.#inputs.push({ name, dtype, shape });
    return { name };
  }

  /** Makes `value` output `name`. */
  output(
    name: string,
    value: Value,
    dtype: Dtype,
    shape: readonly Side[] | undefined,
  ): void {
    this.declareOutput(name, dtype, shape);
    this.#push("Identity", [value], [name], {});
  }

  /** Makes the result that already has this name an output. */
  declareOutput(
    name: string,
    dtype: Dtype,
    shape: readonly Side[] | undefined,
  ): void {
    this.#outputs.push({ name, dtype, shape });
  }

  /** An operator with one result. */
  apply(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
  ): Value {
    return this.applyMany(operator, inputs, 1, attributes)[0]!;
  }

  /** An operator with `count` results. */
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

  /** An operator whose results have the given names, such as outputs'. */
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
   * The checkpoint's tensor of this name in this scope, in the computing type.
   *
   * @param shape As the configuration says; checked.
   * @param rows Only these rows of the outermost side, addressed in place.
   */
  weight(name: string, shape: readonly number[], rows?: Rows): Value {
    const key = [...this.#path, name].join(".");
    const label = rows === undefined
      ? key
      : `${key}[${rows.start}:${rows.start + rows.count}]`;
    const known = this.#entered.get(label);
    if (known !== undefined) return known;
    const stored = this.#weights.find(key, shape);
    const part = rows === undefined
      ? { ...stored, shape }
      : rowsOf(stored, shape, rows);
    this.#initializers.set(label, { name: label, ...part });
    const value: Value = stored.dtype === this.computeDtype
      ? { name: label }
      : this.cast({ name: label }, this.computeDtype);
    this.#entered.set(label, value);
    return value;
  }

  /** A tensor that is part of the graph itself. */
  constant(
    dtype: Dtype,
    shape: readonly number[],
    data: ArrayBufferView<ArrayBuffer>,
  ): Value {
    const name = this.#unique("constant");
    this.#initializers.set(name, { name, dtype, shape, data });
    return { name };
  }

  /** Integers, as shapes and axes are given. */
  integers(...values: number[]): Value {
    return this.constant(
      "int64",
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  /** One integer, as an index is given: `[]`. */
  scalar(value: number): Value {
    return this.constant("int64", [], BigInt64Array.of(BigInt(value)));
  }

  /** Numbers in the computing type. */
  floats(data: Float32Array<ArrayBuffer>, shape: readonly number[]): Value {
    const value = this.constant("float32", shape, data);
    return this.computeDtype === "float32"
      ? value
      : this.cast(value, this.computeDtype);
  }

  /** `value` in another type. */
  cast(value: Value, dtype: Dtype): Value {
    return this.apply("Cast", [value], { to: { dtype } });
  }

  /**
   * Makes `value` an output when tracing, named by the scope and `name`; the
   * second of the same name gets a number.
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

  /** The graph as an encoded `ModelProto`. */
  encode(): Uint8Array<ArrayBuffer> {
    return encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #push(
    operator: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly string[],
    attributes: Attributes,
  ): void {
    this.#nodes.push({
      operator,
      domain: CONTRIB_OPERATORS.has(operator) ? CONTRIB_DOMAIN : "",
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

/** The bytes of some rows of a matrix. */
function rowsOf(
  stored: StoredTensor,
  shape: readonly number[],
  rows: Rows,
): StoredTensor {
  const [, ...rest] = shape;
  const rowBytes = elementCount(rest) * DTYPE_BYTES[stored.dtype];
  return {
    ...stored,
    shape: [rows.count, ...rest],
    offset: stored.offset + rows.start * rowBytes,
    length: rows.count * rowBytes,
  };
}
