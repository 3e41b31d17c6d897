/**
 * The reader of encoded ONNX models.
 *
 * @module
 */

import proto from "onnx-proto";

/** An operator as stored. */
export interface DecodedNode {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes: integers as numbers, texts as text, lists as lists. */
  readonly attributes: Readonly<Record<string, number | string | number[]>>;
}

/** A constant or weight as stored. */
export interface DecodedTensor {
  /** ONNX's number of the data type. */
  readonly dataType: number;
  readonly shape: readonly number[];
  /** Inline data; empty if it is in an external file. */
  readonly bytes: Uint8Array;
  /** Fields `location`, `offset` and `length` of external data. */
  readonly external: Readonly<Record<string, string>>;
}

/** An input or output as stored. */
export interface DecodedPort {
  readonly name: string;
  /** ONNX's number of the element type. */
  readonly elementType: number;
  /** Dimensions; undefined if the rank is unknown. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** A model as stored. */
export interface DecodedModel {
  readonly name: string;
  readonly nodes: readonly DecodedNode[];
  readonly tensors: ReadonlyMap<string, DecodedTensor>;
  readonly inputs: readonly DecodedPort[];
  readonly outputs: readonly DecodedPort[];
  /** Versions of the operator sets, by domain. */
  readonly operatorSets: Readonly<Record<string, number>>;
}

const { onnx } = proto;
const { AttributeType } = onnx.AttributeProto;

/** Decodes `bytes`, an encoded `ModelProto`. */
export function decodeModel(bytes: Uint8Array): DecodedModel {
  const model = onnx.ModelProto.decode(bytes);
  const graph = model.graph!;
  return {
    name: graph.name!,
    nodes: graph.node!.map((node) => ({
      operator: node.opType!,
      domain: node.domain ?? "",
      name: node.name!,
      inputs: node.input!,
      outputs: node.output!,
      attributes: Object.fromEntries(
        node.attribute!.map((a) => [a.name!, attribute(a)]),
      ),
    })),
    tensors: new Map(
      graph.initializer!.map((tensor) => [tensor.name!, {
        dataType: tensor.dataType!,
        shape: tensor.dims!.map(Number),
        bytes: Uint8Array.from(tensor.rawData ?? []),
        external: Object.fromEntries(
          tensor.externalData!.map(({ key, value }) => [key!, value!]),
        ),
      }]),
    ),
    inputs: graph.input!.map(port),
    outputs: graph.output!.map(port),
    operatorSets: Object.fromEntries(
      model.opsetImport!.map((set) => [set.domain!, Number(set.version)]),
    ),
  };
}

function attribute(
  { type, i, f, s, ints }: proto.onnx.IAttributeProto,
): number | string | number[] {
  switch (type) {
    case AttributeType.INT:
      return Number(i);
    case AttributeType.FLOAT:
      return f!;
    case AttributeType.STRING:
      return new TextDecoder().decode(s!);
    case AttributeType.INTS:
      return ints!.map(Number);
    default:
      throw new RangeError(`unknown type of attribute ${type}`);
  }
}

function port({ name, type }: proto.onnx.IValueInfoProto): DecodedPort {
  const { elemType, shape } = type!.tensorType!;
  return {
    name: name!,
    elementType: elemType!,
    // protobufjs returns 0 for a named dimension.
    shape: shape?.dim?.map((dim) => dim.dimParam || Number(dim.dimValue)),
  };
}
