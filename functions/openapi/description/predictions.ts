/**
 * The descriptions of the routes of Replicate and Cog.
 *
 * They are mounted twice, at the root and below `/v1`, so that their names come
 * from their paths.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import {
  CogHealthAnswer,
  FileAnswer,
  PredictionAnswer,
  PredictionModelAnswer,
  PredictionsAnswer,
} from "../../schema/answers/predictions.ts";
import { PredictionRequest } from "../../schema/prediction.ts";
import {
  BODY_PROBLEMS,
  type Content,
  describe,
  json,
  MODEL_PROBLEMS,
  POST_PROBLEMS,
  type RouteDescription,
} from "./describe.ts";
import type { ProblemCode } from "../../http/errors/problems.ts";
import { IDEMPOTENCY_KEY, PREFER } from "./jobs.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;

const ID = path("id", "Id of the prediction.", "one-of-mine");
const OWNER = path(
  "owner",
  "Owner of the model; ignored.",
  "emu3",
);
const NAME = path("name", "A function or a model.", "generate");

const PREDICTION = json(PredictionAnswer);

const BODY: Content = json(PredictionRequest, {
  examples: {
    picture: {
      summary: "An image",
      value: {
        version: "generate",
        input: { prompt: "three apples", height: 16, width: 16 },
      },
    },
  },
});

/** The description of the routes that create a prediction. */
export const predictDescription = creating(
  "createPrediction",
  [IDEMPOTENCY_KEY],
  POST_PROBLEMS,
);

/** The description of the routes that create one of a model. */
export const predictModelDescription = creating(
  "createModelPrediction",
  [OWNER, NAME, IDEMPOTENCY_KEY],
  POST_PROBLEMS,
);

/** The description of the routes that create one with a given id. */
export const putDescription = creating("putPrediction", [{
  ...ID,
  description: "Id of the prediction; for a new one, without the prefix job-.",
  schema: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" },
}], ["draining", "quota-exceeded", "unread-answers"]);

/** The description of the routes that list predictions. */
export const listDescription = route("listPredictions", {
  summary: "List predictions, newest first, at most 100 per page",
  parameters: [{
    in: "query",
    name: "cursor",
    description: "Cursor from the member next of the previous page.",
    schema: { type: "string" },
  }],
  answers: {
    200: { description: "Predictions", content: json(PredictionsAnswer) },
  },
  problems: ["unknown-job"],
});

/** The description of the routes that return one. */
export const getDescription = route("getPrediction", {
  summary: "Get a prediction",
  parameters: [ID],
  answers: { 200: { description: "The prediction", content: PREDICTION } },
  problems: ["unknown-job", "unread-answers"],
});

/** The description of the routes that stream the events of one. */
export const streamDescription = route("streamPrediction", {
  summary: "Stream the events of a prediction: output, error, done",
  parameters: [ID],
  answers: {
    200: {
      description: "Events",
      content: {
        "text/event-stream": {
          schema: {
            type: "object",
            properties: {
              id: { type: "string" },
              event: { type: "string", enum: ["output", "error", "done"] },
              data: { type: "string" },
            },
            required: ["event"],
          },
        },
      },
    },
  },
  problems: ["unknown-job", "unread-answers"],
});

/** The description of the routes that cancel one. */
export const cancelDescription = route("cancelPrediction", {
  summary: "Cancel a prediction",
  parameters: [ID, IDEMPOTENCY_KEY],
  answers: { 200: { description: "The prediction", content: PREDICTION } },
  problems: ["unknown-job", "invalid-fields", ...POST_PROBLEMS, "overloaded"],
});

/** The description of the routes that return a model. */
export const modelDescription = route("getPredictionModel", {
  summary: "Get a model",
  parameters: [OWNER, NAME],
  answers: {
    200: {
      description: "Model metadata",
      content: json(PredictionModelAnswer),
    },
  },
  problems: ["not-found"],
});

/** The description of the routes that upload a file. */
export const filesDescription = route("createFile", {
  summary: "Upload a file, returned as a data URL",
  body: {
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: { content: { type: "string", format: "binary" } },
        required: ["content"],
      },
    },
  },
  parameters: [IDEMPOTENCY_KEY],
  answers: { 201: { description: "The file", content: json(FileAnswer) } },
  problems: [...BODY_PROBLEMS, ...POST_PROBLEMS, "overloaded"],
});

/** The description of `/health-check`. */
export const cogHealthDescription = route("getCogHealth", {
  open: true,
  summary: "Readiness in Cog's format",
  answers: {
    200: {
      description: "The readiness of the models",
      content: json(CogHealthAnswer),
    },
  },
  problems: [],
});

function creating(
  id: string,
  parameters: Parameters,
  problems: readonly ProblemCode[],
): MiddlewareHandler {
  return route(id, {
    summary: "Create a prediction, which is a job",
    parameters: [...parameters, PREFER],
    body: BODY,
    answers: {
      200: { description: "An ended prediction", content: PREDICTION },
      201: { description: "A prediction of a model", content: PREDICTION },
      202: { description: "A running prediction", content: PREDICTION },
    },
    problems: [
      ...BODY_PROBLEMS,
      ...MODEL_PROBLEMS,
      ...problems,
      "unknown-adapter",
      "not-found",
      "unknown-job",
      "image-too-large",
      "unreadable-image",
      "image-size",
      "malformed-grid",
      "prompt-too-long",
      "cache-too-small",
    ],
  });
}

function route(
  id: string,
  rest: Omit<RouteDescription, "id" | "tag">,
): MiddlewareHandler {
  const below = (path: string) => path.startsWith("/v1/") ? `${id}V1` : id;
  return describe({ id: below, tag: "predictions", ...rest });
}

function path(
  name: string,
  description: string,
  example: string,
): Parameters[number] {
  const schema = { type: "string" } as const;
  return { in: "path", name, required: true, description, schema, example };
}
