/**
 * The descriptions of `/v1/workflows`.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import * as v from "valibot";
import {
  type ChainInfo,
  CHAINS,
} from "../../deploy/workflows/schema/chains.ts";
import { GridAnswer } from "../schema/answers/answers.ts";
import {
  ChainsAnswer,
  succeededAnswer,
  WorkflowAnswer,
} from "./workflow_answers.ts";
import {
  type AnswerHeaders,
  BODY_PROBLEMS,
  bytes,
  describe,
  header,
  json,
  POST_PROBLEMS,
  type RouteDescription,
} from "../openapi/description/describe.ts";
import { IDEMPOTENCY_KEY } from "../openapi/description/jobs.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;

const NAME: Parameters = [{
  in: "path",
  name: "chain",
  required: true,
  description: "Name of the chain.",
  schema: { type: "string", enum: Object.keys(CHAINS) },
}, {
  in: "path",
  name: "id",
  required: true,
  description: "Id of the workflow.",
  schema: { type: "string" },
}];

const PREFER: Parameters[number] = {
  in: "header",
  name: "Prefer",
  description:
    "respond-async returns at once, with the URL of the workflow. wait=10 waits up to 10 seconds for its output. Unknown preferences are ignored.",
  schema: { type: "string" },
  examples: {
    // First, since forms begin with it.
    output: { summary: "The output itself", value: "" },
    workflow: { value: "respond-async" },
    wait: { value: "wait=1" },
  },
};

const HEADERS: AnswerHeaders = {
  "Location": header("URL of the workflow.", "string"),
  "Preference-Applied": header(
    "Preferences of Prefer that were applied.",
    "string",
    false,
  ),
  "Idempotency-Replayed": header(
    "true if this is the stored response of the first request.",
    "string",
    false,
  ),
  "Idempotency-Kept": header(
    "false if the store had no space for this response.",
    "string",
    false,
  ),
};

/** The description of `GET /v1/workflows`. */
export const chainsDescription: MiddlewareHandler = describe({
  id: "listChains",
  tag: "workflows",
  summary: "List all chains with the schemas of their inputs",
  answers: { 200: { description: "Chains", content: json(ChainsAnswer) } },
  problems: [],
});

/** Returns the description of `POST /v1/workflows/{chain}`. */
export function startDescription(
  chain: string,
  info: ChainInfo,
  body: v.GenericSchema,
): MiddlewareHandler {
  const parameters = { chain, id: "$response.body#/id" };
  return describe({
    id: `start_${chain}`.replaceAll(/_(\w)/g, (_, c) => c.toUpperCase()),
    tag: "workflows",
    summary: `Start the chain ${chain}`,
    text:
      `${info.description} The workflow outlives the connection and the server: a repeated Idempotency-Key finds the same one, at any server.`,
    parameters: [PREFER, IDEMPOTENCY_KEY],
    body: json(body),
    answers: {
      200: {
        description: "The workflow with its output",
        content: json(succeededAnswer(info)),
        headers: HEADERS,
      },
      202: {
        description: "A workflow that runs",
        content: json(WorkflowAnswer),
        headers: HEADERS,
        links: {
          workflow: { operationId: "getWorkflow", parameters },
          cancel: { operationId: "cancelWorkflow", parameters },
        },
      },
    },
    problems: [
      ...BODY_PROBLEMS,
      ...POST_PROBLEMS,
      "workflows-unavailable",
      "workflow-canceled",
      "workflow-failed",
      "not-ready",
      "overloaded",
      "unknown-model",
      "image-too-large",
      "unreadable-image",
      "image-size",
      "shutting-down",
      "store-full",
      "deadline",
    ],
  });
}

/** The description of `GET /v1/workflows/{chain}/{id}`. */
export const workflowDescription: MiddlewareHandler = describe({
  id: "getWorkflow",
  tag: "workflows",
  summary: "Get a workflow: its steps so far, and its output",
  text:
    "As HTML it is a page with thumbnails of all pictures. With grid it is the codes of a step, as JSON or as an image.",
  parameters: [...NAME, {
    in: "query",
    name: "grid",
    description: "Name of codes, the member grid of a step.",
    schema: { type: "string" },
    examples: {
      // First, since forms begin with it.
      workflow: { summary: "The workflow itself", value: "" },
      picture: { summary: "Codes of the step draw", value: "draw" },
    },
  }, {
    in: "query",
    name: "model",
    description: "Model whose vision tokenizer decodes pictures.",
    schema: { type: "string" },
  }],
  answers: {
    200: {
      description: "The workflow, or codes of it",
      content: {
        ...json(v.union([WorkflowAnswer, GridAnswer])),
        "text/html": { schema: { type: "string" } },
        ...bytes("image/png", "image/jpeg", "image/webp"),
      },
      headers: {
        "Server-Timing": header("Duration of each phase.", "string", false),
        "Vary": header("The format depends on the Accept header.", "string"),
      },
    },
  },
  problems: [
    "unknown-workflow",
    "workflows-unavailable",
    "unread-answers",
    "not-acceptable",
    "unknown-model",
    "not-ready",
    "overloaded",
    "invalid-fields",
    "image-too-large",
    "shutting-down",
    "deadline",
  ],
});

/** The description of `DELETE /v1/workflows/{chain}/{id}`. */
export const cancelDescription: MiddlewareHandler = describe({
  id: "cancelWorkflow",
  tag: "workflows",
  summary: "Cancel a workflow; ended ones are unchanged",
  text:
    "The model stops within one step. The answer waits for the end shortly.",
  parameters: NAME,
  answers: {
    200: { description: "The workflow", content: json(WorkflowAnswer) },
  },
  problems: ["unknown-workflow", "workflows-unavailable", "unread-answers"],
});
