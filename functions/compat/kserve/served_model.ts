/**
 * A function as a model of the Open Inference Protocol: tensors in, tensors out.
 *
 * @module
 */

import type * as v from "valibot";
import { parseFields } from "../../http/body.ts";
import type { Call } from "../../http/call.ts";
import type { FunctionName } from "../../schema/function_names.ts";
import type { Tools } from "../../models/ports.ts";
import {
  type FieldError,
  InvalidFieldsError,
} from "../../http/errors/errors.ts";
import { pictureBytes } from "../../http/upload.ts";
import type { NamedTensor } from "./infer_answer.ts";
import type { InferRequest } from "./infer_request.ts";
import { type Datatype, elementCount, type Tensor } from "./tensor.ts";

/** The only version there is. */
export const MODEL_VERSION = "1";

/** What is known of a tensor before it is there. */
export interface TensorSpec {
  /** By which it is sent or asked for. */
  readonly name: string;
  /** Numeric format. */
  readonly datatype: Datatype;
  /** −1 for any length. */
  readonly shape: readonly number[];
  /** Whether it may be left out. */
  readonly optional?: boolean;
}

/** What an inference is called with. */
export interface Inference {
  /** By name; each as its specification says. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Options, unchecked. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether an output of this name is asked for. */
  readonly wants: (name: string) => boolean;
  /** What goes with it. */
  readonly call: Call;
}

/** What an inference gives. */
export interface Inferred {
  /** Those that were asked for, and maybe more. */
  readonly outputs: readonly NamedTensor[];
  /** What is known beside. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/** A function as a model. */
export interface ServedModel {
  /** By which it is asked for. */
  readonly name: FunctionName;
  /** Of the model. */
  readonly version: string;
  /** What it takes. */
  readonly inputs: readonly TensorSpec[];
  /** What it gives. */
  readonly outputs: readonly TensorSpec[];
  /**
   * Says nothing where it can be used.
   *
   * @throws {NotReadyError} Where it cannot.
   */
  readonly checkReady: () => void;
  /** Tensors → tensors. */
  readonly infer: (inference: Inference) => Promise<Inferred>;
}

/**
 * Refuses tensors that `model` does not have, or not like this.
 *
 * @throws {InvalidFieldsError} Naming them.
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
    const detail = `there is ${model.outputs.map(nameOf).join(", ")}`;
    errors.push({ pointer: `/outputs/${i}`, detail });
  }
  if (errors.length > 0) throw new InvalidFieldsError(errors);
}

/**
 * The one element of `name` as text; undefined when it was not sent.
 *
 * @throws {InvalidFieldsError} When it is not UTF-8.
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
 * Reads the one element of `image` as a file; undefined when it was not sent.
 * Raw it is the file, in JSON a data URL or base64.
 *
 * @param held Gives back what a fetched picture takes.
 * @throws {InvalidFieldsError} When the text is neither.
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
 * Fields of a native body: its options from the parameters, the rest as given.
 *
 * @param options Names of fields that parameters may set; others are passed
 * over, as this protocol's servers do.
 * @throws {InvalidFieldsError} Naming the option at fault.
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

/** Undefined when there is nothing to say against it. */
function misfit(
  spec: TensorSpec | undefined,
  { datatype, shape }: Tensor,
): string | undefined {
  if (spec === undefined) return "there is no such tensor";
  const expected = `expected ${spec.datatype} ${shapeText(spec.shape)}`;
  if (datatype !== spec.datatype) return expected;
  // One element is one element, with or without a dimension for a batch.
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
