/**
 * The body of an inference: JSON, followed by raw bytes with the binary tensor
 * extension.
 *
 * ```text
 * {"inputs": [{…, "parameters": {"binary_data_size": 3}}, …]} b b b …
 * └─────────── Inference-Header-Content-Length ─────────────┘
 * ```
 *
 * Lengths, counts and shapes are untrusted, and are checked before anything is
 * allocated for them.
 *
 * @module
 */

import * as v from "valibot";
import { parseFields } from "../../http/body.ts";
import { parseJson } from "../../http/json.ts";
import { invalidField, MalformedBodyError } from "../../http/errors/errors.ts";
import { boundedList } from "../../schema/bounded_list.ts";
import {
  type Tensor,
  TensorError,
  tensorFromBytes,
  tensorFromJson,
} from "./tensor.ts";

/** Header with the length of a body's JSON, if raw bytes follow. */
export const HEADER_LENGTH = "inference-header-content-length";

/** Maximum tensors of a request, and of its answer. */
const MAX_TENSORS = 16;

/** Maximum dimensions of a tensor. */
const MAX_RANK = 8;

const ByteCount = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(2 ** 32),
);

const Name = v.pipe(v.string(), v.maxLength(256));

/** The parameters of an input tensor; others are ignored. */
const InputParameters = v.object({
  "binary_data_size": v.optional(ByteCount),
  "shared_memory_region": v.optional(v.unknown()),
});

/** The parameters of a requested output. */
const OutputParameters = v.object({
  "binary_data": v.optional(v.boolean()),
  "shared_memory_region": v.optional(v.unknown()),
  classification: v.optional(v.unknown()),
});

const Input = v.object({
  name: Name,
  shape: boundedList(ByteCount, { max: MAX_RANK }),
  datatype: v.picklist(["BYTES", "UINT16"]),
  parameters: v.optional(InputParameters, {}),
  data: v.optional(v.unknown()),
});
type Input = v.InferOutput<typeof Input>;

const Output = v.object({
  name: Name,
  parameters: v.optional(OutputParameters, {}),
});

/** The schema of a body's JSON; other members are ignored. */
export const InferHeader = v.object({
  id: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  parameters: v.optional(v.record(v.string(), v.unknown()), {}),
  inputs: boundedList(Input, { max: MAX_TENSORS }),
  outputs: v.optional(boundedList(Output, { max: MAX_TENSORS }), []),
});
/** The JSON of a body. */
export type InferHeader = v.InferOutput<typeof InferHeader>;

/** A requested output. */
export interface RequestedOutput {
  /** Name of the output. */
  readonly name: string;
  /** True for raw bytes, false for JSON. */
  readonly binary: boolean;
}

/** A requested inference. */
export interface InferRequest {
  /** Id, returned with the answer. */
  readonly id: string | undefined;
  /** Options, unchecked. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Inputs by name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Requested outputs; an empty list requests all. */
  readonly outputs: readonly RequestedOutput[];
  /** True if outputs that are not requested by name are raw. */
  readonly binaryByDefault: boolean;
}

/**
 * Returns the inference that `body` requests.
 *
 * @param headerLength Length of the JSON; undefined if it is the whole body.
 * @throws {BodyTooComplexError} If its JSON has more structure than is accepted.
 * @throws {MalformedBodyError} If lengths and bytes do not agree.
 * @throws {InvalidFieldsError} If a tensor is invalid; names it.
 */
export async function readInferRequest(
  body: Uint8Array<ArrayBuffer>,
  headerLength: string | undefined,
): Promise<InferRequest> {
  const end = jsonEnd(body, headerLength);
  const header = parseFields(
    InferHeader,
    await parseJson(body.subarray(0, end)),
  );
  const { parameters } = header;
  const binaryByDefault = parameters["binary_data_output"] === true;
  return {
    id: header.id,
    parameters,
    inputs: tensorsFrom(header.inputs, body.subarray(end)),
    outputs: header.outputs.map((output, i) =>
      requested(output, i, binaryByDefault)
    ),
    binaryByDefault,
  };
}

function jsonEnd(body: Uint8Array, headerLength: string | undefined): number {
  if (headerLength === undefined) return body.length;
  const length = /^\d{1,10}$/.test(headerLength) ? Number(headerLength) : NaN;
  if (length <= body.length) return length;
  throw new MalformedBodyError(
    `set Inference-Header-Content-Length to the number of its ${body.length} bytes that are JSON`,
  );
}

function tensorsFrom(
  inputs: readonly Input[],
  binary: Uint8Array<ArrayBuffer>,
): Map<string, Tensor> {
  const sizes = inputs.map(({ parameters }) =>
    parameters.binary_data_size ?? 0
  );
  const stated = sizes.reduce((sum, size) => sum + size, 0);
  if (stated !== binary.length) {
    throw new MalformedBodyError(
      `its tensors declare ${stated} bytes after the JSON (binary_data_size), but ${binary.length} bytes follow`,
    );
  }
  const tensors = new Map<string, Tensor>();
  let start = 0;
  for (const [i, input] of inputs.entries()) {
    const pointer = `/inputs/${i}`;
    if (tensors.has(input.name)) throw invalidField(pointer, "is given twice");
    const bytes = binary.subarray(start, start += sizes[i]!);
    tensors.set(input.name, tensorFrom(input, bytes, pointer));
  }
  return tensors;
}

function tensorFrom(
  { datatype, shape, parameters, data }: Input,
  bytes: Uint8Array<ArrayBuffer>,
  pointer: string,
): Tensor {
  if (parameters.shared_memory_region !== undefined) {
    throw invalidField(pointer, "shared memory is not supported");
  }
  try {
    return parameters.binary_data_size === undefined
      ? tensorFromJson(datatype, shape, data)
      : tensorFromBytes(datatype, shape, bytes);
  } catch (cause) {
    if (!(cause instanceof TensorError)) throw cause;
    throw invalidField(pointer, cause.message, { cause });
  }
}

function requested(
  { name, parameters }: InferHeader["outputs"][number],
  i: number,
  binaryByDefault: boolean,
): RequestedOutput {
  const { binary_data: binary = binaryByDefault } = parameters;
  if (parameters.shared_memory_region !== undefined) {
    throw invalidField(`/outputs/${i}`, "shared memory is not supported");
  }
  if (parameters.classification !== undefined) {
    throw invalidField(`/outputs/${i}`, "classification is not supported");
  }
  return { name, binary };
}
