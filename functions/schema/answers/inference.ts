/**
 * The answers of the Open Inference Protocol.
 *
 * @module
 */

import * as v from "valibot";
import { FUNCTION_NAMES } from "../common.ts";
import { Count } from "./answers.ts";
import { ProblemAnswer } from "./server.ts";

const Datatype = v.picklist(["BYTES", "UINT16", "INT32"]);

/** The schema of the server's metadata. */
export const ServerMetadataAnswer = v.strictObject({
  name: v.string(),
  version: v.string(),
  extensions: v.array(v.string()),
});

/** The schema of the server's liveness. */
export const ServerLiveAnswer = v.strictObject({ live: v.literal(true) });

/** The schema of the server's readiness. */
export const ServerReadyAnswer = v.strictObject({ ready: v.boolean() });

/** The schema of a model's readiness. */
export const ModelReadyAnswer = v.strictObject({
  name: v.picklist(FUNCTION_NAMES),
  ready: v.literal(true),
});

const TensorMetadata = v.pipe(
  v.strictObject({
    name: v.string(),
    datatype: Datatype,
    shape: v.pipe(
      v.array(v.pipe(v.number(), v.integer(), v.minValue(-1))),
      v.description("Shape; −1 stands for any length."),
    ),
    optional: v.optional(v.boolean()),
  }),
  v.metadata({ ref: "TensorMetadata" }),
);

/** The schema of a model's metadata. */
export const ModelMetadataAnswer = v.pipe(
  v.strictObject({
    name: v.picklist(FUNCTION_NAMES),
    versions: v.array(v.string()),
    platform: v.literal("emu3"),
    inputs: v.array(TensorMetadata),
    outputs: v.array(TensorMetadata),
  }),
  v.metadata({ ref: "ModelMetadata" }),
);

/** The schema of an inference's output tensors. */
export const InferAnswer = v.pipe(
  v.strictObject({
    id: v.optional(v.pipe(v.string(), v.description("Id from the request."))),
    "model_name": v.picklist(FUNCTION_NAMES),
    "model_version": v.string(),
    parameters: v.pipe(
      v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
      v.description("Additional results: model, seed, finish_reason."),
    ),
    outputs: v.array(v.strictObject({
      name: v.string(),
      datatype: Datatype,
      shape: v.array(Count),
      data: v.optional(
        v.pipe(
          v.array(v.union([v.number(), v.string()])),
          v.description("Flat list of elements; files in base64."),
        ),
      ),
      parameters: v.optional(
        v.strictObject({
          "binary_data_size": v.pipe(
            Count,
            v.description("Number of bytes after the JSON that replace data."),
          ),
        }),
      ),
    })),
  }),
  v.metadata({ ref: "InferAnswer" }),
);

/** The schema of a problem in this protocol: `error` is text. */
export const InferenceProblemAnswer = v.pipe(
  v.strictObject({
    ...ProblemAnswer.entries,
    error: v.pipe(v.string(), v.description("Same as detail.")),
  }),
  v.metadata({ ref: "InferenceProblem" }),
);
