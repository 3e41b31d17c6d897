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
import { mayBeKnown } from "./entity_tag.ts";

type Parameters = NonNullable<RouteDescription["parameters"]>;
type Answer = RouteDescription["answers"][number];

/** The `Idempotency-Key` header of every `POST`. */
export const IDEMPOTENCY_KEY: Parameters[number] = {
  in: "header",
  name: "Idempotency-Key",
  description: "Whoever asks again with it gets the first answer.",
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
    "respond-async: a job at once. wait=10: the answer if it comes in so many seconds, else a job. What is not understood is ignored.",
  schema: { type: "string" },
  examples: {
    // First, since forms begin with it.
    answer: { summary: "The answer itself", value: "" },
    job: { value: "respond-async" },
    wait: { value: "wait=1" },
  },
};

/** The answer with the status and URL of a new job. */
const ACCEPTED: Answer = {
  description: "A job",
  content: json(JobAnswer),
  headers: {
    "Location": header("Where the job is.", "string"),
    "Preference-Applied": header("What of Prefer counts.", "string", false),
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
    "true: the first answer, once more.",
    "string",
    false,
  ),
  "Idempotency-Kept": header(
    "false: the store had no room for this answer; asked again, it is made anew.",
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
  return describe(mayBeJob(mayBeKnown(route)));
}

const ID: Parameters[number] = {
  in: "path",
  name: "id",
  required: true,
  description: "Of the job.",
  schema: { type: "string" },
};

/** The description of `GET /v1/jobs`. */
export const jobsDescription = describe({
  id: "listJobs",
  tag: "jobs",
  summary: "The caller's jobs, the newest first, 100 a page at most",
  parameters: [{
    in: "query",
    name: "after",
    description: "The last job of the page before.",
    schema: { type: "string" },
  }],
  answers: { 200: { description: "Jobs", content: json(JobsAnswer) } },
  problems: ["unknown-job"],
});

/** The description of `GET /v1/jobs/{id}`. */
export const jobDescription = describe({
  id: "getJob",
  tag: "jobs",
  summary: "Where a job stands, and what came of it",
  parameters: [ID],
  answers: { 200: { description: "The job", content: json(WholeJobAnswer) } },
  problems: ["unknown-job", "unread-answers"],
});

/** The description of `GET /v1/jobs/{id}/events`. */
export const jobEventsDescription = describe({
  id: "getJobEvents",
  tag: "jobs",
  summary: "What happens to a job, from the first event or any later one",
  text:
    "A row that is drawn while somebody follows the job may have a preview, if the request asked for it; rows that are replayed have none.",
  parameters: [ID, {
    in: "header",
    name: "Last-Event-ID",
    description: "The last event that is known; those after it follow.",
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
              "An event of the function's own stream, or of the job; its data is JSON.",
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
  summary: "End a job; one that has ended stays as it is",
  parameters: [ID],
  answers: {
    200: { description: "The job, which stays", content: json(JobAnswer) },
  },
  problems: ["unknown-job"],
});

/** The description of `POST /v1/jobs/{id}/resume`. */
export const resumeDescription = describe({
  id: "resumeJob",
  tag: "jobs",
  summary: "Go on with a job that was interrupted, from its last row",
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
