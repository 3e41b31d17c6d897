/**
 * A function as a model of the Open Inference Protocol: tensors in, tensors
 * out.
 *
 * @module
 */

import type * as v from "valibot";
import { parseFields } from "../../http/body.ts";
import type { Call } from "../../http/call.ts";
import type { FunctionName } from "../../schema/common.ts";
import type { Tools } from "../../models/ports.ts";
import {
  type FieldError,
  InvalidFieldsError,
} from "../../http/errors/errors.ts";
import { pictureBytes } from "../../http/upload.ts";
import type { InferRequest } from "./infer_request.ts";
import {
  type Datatype,
  elementCount,
  type NamedTensor,
  type Tensor,
} from "./tensor.ts";

/** The only version of each model. */
export const MODEL_VERSION = "1";

/** The specification of a tensor. */
export interface TensorSpec {
  /** Name of the tensor. */
  readonly name: string;
  /** Numeric format. */
  readonly datatype: Datatype;
  /** Length of every dimension; −1 for any. */
  readonly shape: readonly number[];
  /** True if the tensor is optional. */
  readonly optional?: boolean;
}

/** The arguments of an inference. */
export interface Inference {
  /** Inputs by name; each matches its specification. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Options, unchecked. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Returns true if an output of this name is requested. */
  readonly wants: (name: string) => boolean;
  /** Context of the call. */
  readonly call: Call;
}

/** The result of an inference. */
export interface Inferred {
  /** Requested outputs, and maybe more. */
  readonly outputs: readonly NamedTensor[];
  /** Parameters of the answer. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/** A function as a model. */
export interface ServedModel {
  /** Name of the model. */
  readonly name: FunctionName;
  /** Version of the model. */
  readonly version: string;
  /** Specifications of the inputs. */
  readonly inputs: readonly TensorSpec[];
  /** Specifications of the outputs. */
  readonly outputs: readonly TensorSpec[];
  /**
   * Returns if the model is ready.
   *
   * @throws {NotReadyError} If it cannot.
   */
  readonly checkReady: () => void;
  /** Runs an inference: tensors → tensors. */
  readonly infer: (inference: Inference) => Promise<Inferred>;
}

/**
 * Checks that the tensors match the specifications of `model`.
 *
 * @throws {InvalidFieldsError} If one does not; names it.
 */
export function checkTensors(
  model: Pick<ServedModel, "inputs" | "outputs">,
  { inputs, outputs }: Pick<InferRequest, "inputs" | "outputs">,
): void {
  const errors: FieldError[] = [];
  for (const [i, [name, tensor]] of [...inputs].entries()) {
    const detail = misfit(model.inputs.find((s) => s.name === name), tensor);
    if (detail !== undefined) {
      errors.push({ pointer: `/inputs/${i}`, detail });
    }
  }
  for (const { name, optional } of model.inputs) {
    if (optional || inputs.has(name)) continue;
    errors.push({ pointer: "/inputs", detail: `"${name}" is required` });
  }
  for (const [i, { name }] of outputs.entries()) {
    if (model.outputs.some((spec) => spec.name === name)) continue;
    const detail = `unknown output; expected ${
      model.outputs.map(nameOf).join(", ")
    }`;
    errors.push({ pointer: `/outputs/${i}`, detail });
  }
  if (errors.length > 0) throw new InvalidFieldsError(errors);
}

/**
 * Returns the one element of `name` as text; undefined if it was not sent.
 *
 * @throws {InvalidFieldsError} If it is not UTF-8.
 */
export function textInput(
  { inputs }: Pick<Inference, "inputs">,
  name: string,
): string | undefined {
  const element = oneElement(inputs.get(name));
  if (element === undefined || typeof element === "string") return element;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(element);
  } catch (cause) {
    const error = { pointer: `/${name}`, detail: "expected UTF-8" };
    throw new InvalidFieldsError([error], { cause });
  }
}

/**
 * Reads the one element of `image` as a file; undefined if it was not sent.
 * As raw bytes it is the file, in JSON a data URL or base64.
 *
 * @param held Holds the resources of a fetched picture.
 * @throws {InvalidFieldsError} If the text is neither.
 */
export async function pictureInput(
  { inputs, call }: Pick<Inference, "inputs" | "call">,
  tools: Tools,
  held: DisposableStack,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const element = oneElement(inputs.get("image"));
  return typeof element === "string"
    ? await pictureBytes(tools, element, "/image", { call, held })
    : element;
}

/**
 * Returns the fields of a native body: options from the parameters, the rest as
 * given.
 *
 * @param options Names of fields that parameters may set; others are ignored,
 *   as this protocol's servers do.
 * @throws {InvalidFieldsError} If an option is invalid; names it.
 */
export function nativeFields<T>(
  schema: v.GenericSchema<unknown, T>,
  options: readonly string[],
  { parameters }: Pick<Inference, "parameters">,
  given: Readonly<Record<string, unknown>>,
): T {
  const fields = options
    .filter((name) => Object.hasOwn(parameters, name))
    .map((name) => [name, parameters[name]]);
  return parseFields(schema, { ...Object.fromEntries(fields), ...given });
}

/** Returns the fault of a tensor; undefined if it matches its specification. */
function misfit(
  spec: TensorSpec | undefined,
  { datatype, shape }: Tensor,
): string | undefined {
  if (spec === undefined) return "unknown tensor";
  const expected = `expected ${spec.datatype} ${shapeText(spec.shape)}`;
  if (datatype !== spec.datatype) return expected;
  // A single element may come with or without a batch dimension.
  if (datatype === "BYTES") {
    return elementCount(shape) === 1 ? undefined : expected;
  }
  return shape.length >= spec.shape.length && !shape.includes(0)
    ? undefined
    : expected;
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function oneElement(tensor: Tensor | undefined) {
  return tensor?.datatype === "BYTES" ? tensor.values[0] : undefined;
}

function nameOf({ name }: TensorSpec): string {
  return name;
}
