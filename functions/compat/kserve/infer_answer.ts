/**
 * The answer to an inference: JSON, followed by raw bytes if they are
 * requested.
 *
 * @module
 */

import { joinBytes } from "../../../lib/image/format/join_bytes.ts";
import type { InferRequest } from "./infer_request.ts";
import type { ServedModel } from "./served_model.ts";
import { bytesFromTensor, jsonFromTensor, type NamedTensor } from "./tensor.ts";

/** A body and the length of its JSON. */
export interface InferAnswer {
  /** JSON, followed by raw bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of the JSON; undefined if no raw bytes follow. */
  readonly headerLength: number | undefined;
}

/**
 * Returns the answer with `outputs` in the form that `request` specifies.
 *
 * @param parameters Parameters of the answer.
 */
export function writeInferAnswer(
  { name, version }: Pick<ServedModel, "name" | "version">,
  request: Pick<InferRequest, "id" | "outputs" | "binaryByDefault">,
  outputs: readonly NamedTensor[],
  parameters: Readonly<Record<string, string | number | boolean>>,
): InferAnswer {
  const raw: Uint8Array<ArrayBuffer>[] = [];
  const fields = outputs.map(([name, tensor]) => {
    const { datatype, shape } = tensor;
    const requested = request.outputs.find((output) => output.name === name);
    const head = { name, datatype, shape };
    if (!(requested?.binary ?? request.binaryByDefault)) {
      return { ...head, data: jsonFromTensor(tensor) };
    }
    const bytes = bytesFromTensor(tensor);
    raw.push(bytes);
    return { ...head, parameters: { "binary_data_size": bytes.length } };
  });
  const json = new TextEncoder().encode(JSON.stringify({
    id: request.id,
    "model_name": name,
    "model_version": version,
    parameters,
    outputs: fields,
  }));
  if (raw.length === 0) return { body: json, headerLength: undefined };
  return { body: joinBytes([json, ...raw]), headerLength: json.length };
}
