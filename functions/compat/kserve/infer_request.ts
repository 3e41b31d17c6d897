/**
 * The body of an inference: JSON, and with the binary tensor extension raw
 * bytes behind it.
 *
 * ```text
 * {"inputs": [{…, "parameters": {"binary_data_size": 3}}, …]} b b b …
 * └─────────── Inference-Header-Content-Length ─────────────┘
 * ```
 *
 * Lengths, counts and shapes are what a stranger says, and are checked before
 * anything is made of them.
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

/** Where the JSON of a body ends, if that is not its end. */
export const HEADER_LENGTH = "inference-header-content-length";

/** Tensors that a request may have or ask for. */
const MAX_TENSORS = 16;

/** Dimensions that a tensor may have. */
const MAX_RANK = 8;

const ByteCount = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(2 ** 32),
);

const Name = v.pipe(v.string(), v.maxLength(256));

/** What a tensor that is sent may say of itself; the rest is passed over. */
const InputParameters = v.object({
  "binary_data_size": v.optional(ByteCount),
  "shared_memory_region": v.optional(v.unknown()),
});

/** What an answer may be asked to be like. */
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

/** The JSON of a body; what it has beside is passed over. */
export const InferHeader = v.object({
  id: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  parameters: v.optional(v.record(v.string(), v.unknown()), {}),
  inputs: boundedList(Input, { max: MAX_TENSORS }),
  outputs: v.optional(boundedList(Output, { max: MAX_TENSORS }), []),
});
/** The JSON of a body. */
export type InferHeader = v.InferOutput<typeof InferHeader>;

/** An output that is asked for. */
export interface RequestedOutput {
  /** Which. */
  readonly name: string;
  /** Raw, or in JSON. */
  readonly binary: boolean;
}

/** An inference that is asked for. */
export interface InferRequest {
  /** Returned with the answer. */
  readonly id: string | undefined;
  /** Options, unchecked. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** By name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** None stands for all. */
  readonly outputs: readonly RequestedOutput[];
  /** Whether outputs that nobody asks for by name are raw. */
  readonly binaryByDefault: boolean;
}

/**
 * The inference that `body` asks for.
 *
 * @param headerLength Where its JSON ends; undefined where it ends.
 * @throws {BodyTooComplexError} When its JSON has more structure than is taken.
 * @throws {MalformedBodyError} When lengths and bytes do not agree.
 * @throws {InvalidFieldsError} Naming the tensor at fault.
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
    `Inference-Header-Content-Length is to say how many of its ${body.length} bytes are JSON`,
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
      `its tensors take ${stated} bytes behind the JSON (binary_data_size), there are ${binary.length}`,
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
    throw invalidField(pointer, "there is no shared memory here");
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
    throw invalidField(`/outputs/${i}`, "there is no shared memory here");
  }
  if (parameters.classification !== undefined) {
    throw invalidField(`/outputs/${i}`, "there are no classifications here");
  }
  return { name, binary };
}
