/**
 * The descriptions of `/v1/jobs`, and of the additions of jobs to the functions.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import {
  JobAnswer,
  JobsAnswer,
  WholeJobAnswer,
} from "../../schema/answers/jobs.ts";
import {
  type AnswerHeaders,
  describe,
  header,
  json,
  POST_PROBLEMS,
  type RouteDescription,
} from "./describe.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;
type Answer = RouteDescription["answers"][number];

/** The `Idempotency-Key` header of every `POST`. */
export const IDEMPOTENCY_KEY: Parameters[number] = {
  in: "header",
  name: "Idempotency-Key",
  description:
    "Key of the request. Later requests with the same key get the response of the first one.",
  schema: {
    type: "string",
    minLength: 1,
    maxLength: 255,
    pattern: "^[\\x20-\\x7e]+$",
  },
};

/** The `Prefer` header of requests that may become a job. */
export const PREFER: Parameters[number] = {
  in: "header",
  name: "Prefer",
  description:
    "respond-async creates a job. wait=10 waits up to 10 seconds for the response and creates a job otherwise. Unknown preferences are ignored.",
  schema: { type: "string" },
  examples: {
    // First, since forms begin with it.
    answer: { summary: "The response itself", value: "" },
    job: { value: "respond-async" },
    wait: { value: "wait=1" },
  },
};

/** The answer with the status and URL of a new job. */
const ACCEPTED: Answer = {
  description: "A job",
  content: json(JobAnswer),
  headers: {
    "Location": header("URL of the job.", "string"),
    "Preference-Applied": header(
      "Preferences of Prefer that were applied.",
      "string",
      false,
    ),
  },
  links: {
    job: {
      operationId: "getJob",
      parameters: { id: "$response.body#/id" },
    },
    events: {
      operationId: "getJobEvents",
      parameters: { id: "$response.body#/id" },
    },
    cancel: {
      operationId: "cancelJob",
      parameters: { id: "$response.body#/id" },
    },
    resume: {
      operationId: "resumeJob",
      parameters: { id: "$response.body#/id" },
    },
  },
};

/** The headers of answers to a request with `Idempotency-Key`. */
const KEY_HEADERS: AnswerHeaders = {
  "Idempotency-Replayed": header(
    "true if this is the stored response of the first request.",
    "string",
    false,
  ),
  "Idempotency-Kept": header(
    "false if the store had no space for this response; a repeated request is computed again.",
    "string",
    false,
  ),
};

/** Returns `route` with the option to run as a job. */
export function mayBeJob(route: RouteDescription): RouteDescription {
  const answers = Object.entries({ ...route.answers, 202: ACCEPTED })
    .map(([status, answer]) => [
      status,
      { ...answer, headers: { ...answer.headers, ...KEY_HEADERS } },
    ]);
  return {
    ...route,
    parameters: [...route.parameters ?? [], PREFER, IDEMPOTENCY_KEY],
    answers: Object.fromEntries(answers),
    problems: [...route.problems, ...POST_PROBLEMS],
  };
}

/** Returns middleware that adds a function to the document. */
export function describeFunction(route: RouteDescription): MiddlewareHandler {
  return describe(mayBeJob(route));
}

const ID: Parameters[number] = {
  in: "path",
  name: "id",
  required: true,
  description: "Id of the job.",
  schema: { type: "string" },
};

/** The description of `GET /v1/jobs`. */
export const jobsDescription = describe({
  id: "listJobs",
  tag: "jobs",
  summary: "List the caller's jobs, newest first, at most 100 per page",
  parameters: [{
    in: "query",
    name: "after",
    description: "Id of the last job of the previous page.",
    schema: { type: "string" },
  }],
  answers: { 200: { description: "Jobs", content: json(JobsAnswer) } },
  problems: ["unknown-job"],
});

/** The description of `GET /v1/jobs/{id}`. */
export const jobDescription = describe({
  id: "getJob",
  tag: "jobs",
  summary: "Get a job with its result",
  parameters: [ID],
  answers: { 200: { description: "The job", content: json(WholeJobAnswer) } },
  problems: ["unknown-job", "unread-answers"],
});

/** The description of `GET /v1/jobs/{id}/events`. */
export const jobEventsDescription = describe({
  id: "getJobEvents",
  tag: "jobs",
  summary: "Stream the events of a job, from the first or a later one",
  text:
    "Rows generated while the stream is open may have a preview, if the request enabled it; replayed rows have none.",
  parameters: [ID, {
    in: "header",
    name: "Last-Event-ID",
    description: "Id of the last received event; the stream starts after it.",
    schema: { type: "string", pattern: "^[0-9]*$" },
  }],
  answers: {
    200: {
      description: "Events",
      content: {
        "text/event-stream": {
          schema: {
            type: "object",
            description:
              "An event of the function or of the job, with JSON as its data.",
            properties: {
              id: { type: "string" },
              event: { type: "string" },
              data: { type: "string", contentMediaType: "application/json" },
            },
            required: ["id", "event", "data"],
          },
        },
      },
    },
  },
  problems: ["unknown-job", "invalid-fields", "unread-answers"],
});

/** The description of `DELETE /v1/jobs/{id}`. */
export const cancelDescription = describe({
  id: "cancelJob",
  tag: "jobs",
  summary: "Cancel a job; ended jobs are unchanged",
  parameters: [ID],
  answers: {
    200: { description: "The job, which is kept", content: json(JobAnswer) },
  },
  problems: ["unknown-job"],
});

/** The description of `POST /v1/jobs/{id}/resume`. */
export const resumeDescription = describe({
  id: "resumeJob",
  tag: "jobs",
  summary: "Resume an interrupted job from its last row",
  parameters: [ID, IDEMPOTENCY_KEY],
  answers: { 202: ACCEPTED },
  problems: [
    "unknown-job",
    "job-conflict",
    ...POST_PROBLEMS,
    "invalid-fields",
    "overloaded",
    "shutting-down",
    "store-full",
  ],
});
