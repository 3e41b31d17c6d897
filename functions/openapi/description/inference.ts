/**
 * The descriptions of the Open Inference Protocol's routes: its models are the
 * functions that are served.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import * as v from "valibot";
import type { FunctionName } from "../../schema/common.ts";
import { InferHeader } from "../../compat/kserve/infer_request.ts";
import { MODEL_VERSION } from "../../compat/kserve/served_model.ts";
import {
  InferAnswer,
  InferenceProblemAnswer,
  ModelMetadataAnswer,
  ModelReadyAnswer,
  ServerLiveAnswer,
  ServerMetadataAnswer,
  ServerReadyAnswer,
} from "../../schema/answers/inference.ts";
import {
  BODY_PROBLEMS,
  type Content,
  describe,
  header,
  json,
  MODEL_PROBLEMS,
  POST_PROBLEMS,
  type RouteDescription,
} from "./describe.ts";
import { inferExamples } from "./inference_examples.ts";
import { IDEMPOTENCY_KEY } from "./jobs.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;

/** The descriptions of the routes that every model has. */
export interface ModelDescriptions {
  /** Description of the metadata route. */
  readonly metadata: MiddlewareHandler;
  /** Description of the readiness route. */
  readonly ready: MiddlewareHandler;
  /** Description of the inference route. */
  readonly infer: MiddlewareHandler;
}

const LENGTH = "Inference-Header-Content-Length";

/** The description of `/v2`. */
export const serverDescription = route("getInferenceServer", {
  summary: "Server metadata and supported protocol extensions",
  answers: {
    200: {
      description: "Server metadata",
      content: json(ServerMetadataAnswer),
    },
  },
  problems: [],
});

/** The description of `/v2/health/live`. */
export const serverLiveDescription = route("getInferenceLive", {
  summary: "Liveness",
  answers: {
    200: {
      description: "The process is alive",
      content: json(ServerLiveAnswer),
    },
  },
  problems: [],
  open: true,
});

/** The description of `/v2/health/ready`. */
export const serverReadyDescription = route("getInferenceReady", {
  summary: "Readiness",
  answers: {
    200: {
      description: "The server is ready",
      content: json(ServerReadyAnswer),
    },
    503: {
      description: "Models are loading or failed to load",
      content: json(ServerReadyAnswer),
    },
  },
  problems: [],
  open: true,
});

/**
 * Returns the descriptions of the routes of `models`.
 *
 * @param versioned True if the path names a version as well.
 */
export function modelDescriptions(
  models: readonly FunctionName[],
  versioned: boolean,
): ModelDescriptions {
  const suffix = versioned ? "Version" : "";
  const parameters = [named(models), ...versioned ? [VERSION] : []];
  return {
    metadata: route(`getInferenceModel${suffix}`, {
      summary: "Model metadata with its tensors",
      parameters,
      answers: {
        200: {
          description: "Model metadata",
          content: json(ModelMetadataAnswer),
          links: {
            ready: {
              operationId: "getInferenceModelReady",
              parameters: { model: "$response.body#/name" },
            },
          },
        },
      },
      problems: ["unknown-model"],
    }),
    ready: route(`getInferenceModelReady${suffix}`, {
      summary: "Readiness of a model",
      parameters,
      answers: {
        200: {
          description: "The model is ready",
          content: json(ModelReadyAnswer),
        },
      },
      problems: ["unknown-model", "not-ready"],
    }),
    infer: inferDescription(`infer${suffix}`, models, parameters),
  };
}

function inferDescription(
  id: string,
  models: readonly FunctionName[],
  parameters: Parameters,
): MiddlewareHandler {
  return route(id, {
    summary: "Run inference on tensors",
    text:
      `Runs the function with the name of the model. Its options are parameters; unknown parameters are ignored. With the binary tensor extension, raw bytes follow the JSON, and ${LENGTH} has the length of the JSON. Content-Encoding may be gzip or deflate.`,
    parameters: [...parameters, {
      in: "header",
      name: LENGTH,
      description:
        "Length of the JSON in the body, in bytes, if raw bytes follow it.",
      schema: { type: "string", pattern: "^[0-9]{1,10}$" },
    }, IDEMPOTENCY_KEY],
    body: inferBody(models),
    answers: {
      200: {
        description: "Tensors",
        content: { ...json(InferAnswer), ...JSON_AND_BYTES },
        headers: {
          [LENGTH]: header(
            "Length of the JSON in the response, in bytes, if raw bytes follow it.",
            "integer",
            false,
          ),
        },
      },
    },
    problems: [
      ...BODY_PROBLEMS,
      ...MODEL_PROBLEMS.filter((code) => code !== "not-acceptable"),
      ...POST_PROBLEMS,
      "unknown-adapter",
      "image-too-large",
      "unreadable-image",
      "image-size",
      "malformed-grid",
      "prompt-too-long",
      "cache-too-small",
    ],
  });
}

const JSON_AND_BYTES: Content = {
  "application/octet-stream": {
    schema: {
      type: "string",
      format: "binary",
      minLength: 1,
      description: "JSON followed by raw bytes.",
    },
  },
};

function inferBody(models: readonly FunctionName[]): Content {
  return {
    ...json(
      v.pipe(InferHeader, v.metadata({ ref: "InferRequest" })),
      { examples: inferExamples(models) },
    ),
    ...JSON_AND_BYTES,
  };
}

function named(models: readonly FunctionName[]): Parameters[number] {
  return {
    in: "path",
    name: "model",
    required: true,
    description: "Name of a function as a model.",
    schema: { type: "string", enum: [...models] },
    example: models[0],
  };
}

const VERSION: Parameters[number] = {
  in: "path",
  name: "version",
  required: true,
  description: "Version of the model; there is only one.",
  schema: { type: "string", enum: [MODEL_VERSION] },
  example: MODEL_VERSION,
};

function route(
  id: string,
  rest: Omit<RouteDescription, "id" | "tag" | "refusal">,
): MiddlewareHandler {
  return describe({
    id,
    tag: "inference",
    refusal: InferenceProblemAnswer,
    ...rest,
  });
}
