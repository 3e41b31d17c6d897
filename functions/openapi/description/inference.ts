/**
 * The descriptions of the Open Inference Protocol's routes: its models are the
 * functions that are served.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import * as v from "valibot";
import type { FunctionName } from "../../schema/function_names.ts";
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
  summary: "The server, and what of the protocol it knows",
  answers: {
    200: { description: "The server", content: json(ServerMetadataAnswer) },
  },
  problems: [],
});

/** The description of `/v2/health/live`. */
export const serverLiveDescription = route("getInferenceLive", {
  summary: "Whether the process lives",
  answers: { 200: { description: "It does", content: json(ServerLiveAnswer) } },
  problems: [],
  open: true,
});

/** The description of `/v2/health/ready`. */
export const serverReadyDescription = route("getInferenceReady", {
  summary: "Whether requests can be answered",
  answers: {
    200: { description: "They can", content: json(ServerReadyAnswer) },
    503: {
      description: "Models are loading, or have failed to",
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
      summary: "A model: its tensors",
      parameters,
      answers: {
        200: {
          description: "The model",
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
      summary: "Whether a model can be used",
      parameters,
      answers: {
        200: { description: "It can", content: json(ModelReadyAnswer) },
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
    summary: "Tensors, each into each other",
    text:
      `Options of the function of the same name are parameters; unknown ones are ignored. With the binary tensor extension raw bytes stand behind the JSON, whose length is then in ${LENGTH}. Content-Encoding may be gzip or deflate.`,
    parameters: [...parameters, {
      in: "header",
      name: LENGTH,
      description: "Where the JSON of the body ends, if that is not its end.",
      schema: { type: "string", pattern: "^[0-9]{1,10}$" },
    }, IDEMPOTENCY_KEY],
    body: inferBody(models),
    answers: {
      200: {
        description: "Tensors",
        content: { ...json(InferAnswer), ...JSON_AND_BYTES },
        headers: {
          [LENGTH]: header(
            "Where the JSON of the answer ends, if that is not its end.",
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
      description: "The same JSON, and raw bytes behind it.",
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
    description: "A function, as a model.",
    schema: { type: "string", enum: [...models] },
    example: models[0],
  };
}

const VERSION: Parameters[number] = {
  in: "path",
  name: "version",
  required: true,
  description: "The only one there is.",
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
