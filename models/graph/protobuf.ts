/**
 * The encoding of graphs as ONNX protobuf.
 *
 * `onnx-proto` implements the wire format; this module fills in the used
 * fields. Weights are written as references into files (`external_data`), never
 * as bytes.
 *
 * @module
 */

import proto from "onnx-proto";
import { type Dtype, ONNX_DTYPE } from "./dtype.ts";
import type { Attribute, Attributes, Port, Side } from "./nodes.ts";

/** An operator with the names of its inputs and outputs. */
export interface Node {
  /** Name such as `MatMul`. */
  readonly operator: string;
  /** Domain of the operator; empty for ONNX itself. */
  readonly domain: string;
  /** Unique name. */
  readonly name: string;
  /** Names of inputs; empty for omitted optional ones. */
  readonly inputs: readonly string[];
  /** Names of outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: Attributes;
}

/** A tensor of the graph: inline, in a file, or passed to the session. */
export type Initializer =
  & {
    /** Unique name. */
    readonly name: string;
    /** Element type. */
    readonly dtype: Dtype;
    /** Dimensions, outermost first. */
    readonly shape: readonly number[];
  }
  & (
    | { readonly data: ArrayBufferView<ArrayBuffer> }
    | {
      readonly location: string;
      readonly offset: number;
      readonly length: number;
    }
    | { readonly location: string }
  );

/** The parts of a model. */
export interface Model {
  /** Name shown by profilers. */
  readonly name: string;
  /** Nodes in topological order. */
  readonly nodes: readonly Node[];
  /** Constants and weights. */
  readonly initializers: readonly Initializer[];
  /** Inputs of a run. */
  readonly inputs: readonly Port[];
  /** Outputs of a run. */
  readonly outputs: readonly Port[];
}

const { onnx } = proto;

/** The domain of operators that ONNX Runtime adds to ONNX. */
const CONTRIB_DOMAIN = "com.microsoft";
const CONTRIB_OPERATORS = new Set([
  "FusedMatMul",
  "GroupQueryAttention",
  "MatMulNBits",
  "MultiHeadAttention",
  "RotaryEmbedding",
]);

/** Versions of the format and of the operator sets. */
const IR_VERSION = 10;
const OPERATOR_SETS = [
  { domain: "", version: 21 },
  { domain: CONTRIB_DOMAIN, version: 1 },
];

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

/**
 * An offset beyond any file, so that a weight that was not passed is an error
 * instead of wrong numbers.
 */
const NOWHERE = 2 ** 50;

/** Returns `model` as bytes. */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  const bytes = onnx.ModelProto.encode({
    irVersion: IR_VERSION,
    opsetImport: OPERATOR_SETS,
    graph: {
      name: model.name,
      node: model.nodes.map(node),
      initializer: model.initializers.map(initializer),
      input: model.inputs.map(port),
      output: model.outputs.map(port),
    },
  }).finish();
  // The encoder returns a view of a larger buffer.
  return new Uint8Array(bytes);
}

function node(node: Node) {
  return {
    opType: node.operator,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(attribute),
  };
}

function attribute([name, value]: [string, Attribute]) {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === "number") {
    return { name, type: AttributeType.INT, i: value };
  }
  if (typeof value === "string") {
    const s = new TextEncoder().encode(value);
    return { name, type: AttributeType.STRING, s };
  }
  if ("float" in value) {
    return { name, type: AttributeType.FLOAT, f: value.float };
  }
  if ("dtype" in value) {
    return { name, type: AttributeType.INT, i: ONNX_DTYPE[value.dtype] };
  }
  return { name, type: AttributeType.INTS, ints: [...value] };
}

function initializer(tensor: Initializer) {
  const common = {
    name: tensor.name,
    dataType: ONNX_DTYPE[tensor.dtype],
    dims: [...tensor.shape],
  };
  if ("data" in tensor) {
    const { buffer, byteOffset, byteLength } = tensor.data;
    return {
      ...common,
      rawData: new Uint8Array(buffer, byteOffset, byteLength),
    };
  }
  const externalData = [
    { key: "location", value: tensor.location },
    // A passed weight names a file because the format requires one.
    {
      key: "offset",
      value: String("offset" in tensor ? tensor.offset : NOWHERE),
    },
  ];
  if ("length" in tensor) {
    externalData.push({ key: "length", value: String(tensor.length) });
  }
  return { ...common, dataLocation: EXTERNAL, externalData };
}

function port({ name, dtype, shape }: Port) {
  const dim = shape?.map((side: Side) =>
    typeof side === "number" ? { dimValue: side } : { dimParam: side }
  );
  const known = dim === undefined ? {} : { shape: { dim } };
  const tensorType = { elemType: ONNX_DTYPE[dtype], ...known };
  return { name, type: { tensorType } };
}

/** Returns the domain of an operator; empty for those of ONNX. */
export function domainOf(operator: string): string {
  return CONTRIB_OPERATORS.has(operator) ? CONTRIB_DOMAIN : "";
}
