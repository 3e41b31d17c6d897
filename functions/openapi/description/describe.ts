/**
 * The description of a route for `/openapi.json`.
 *
 * A description precedes the handler, where the route is mounted:
 *
 * ```ts ignore
 * app.get("/v1/models", describe({
 *   id: "listModels",
 *   tag: "models",
 *   summary: "Loaded models",
 *   answers: { 200: { description: "All models", content: json(ModelsAnswer) } },
 *   problems: ["not-ready"],
 * }), (c) => …);
 * ```
 *
 * Longer ones have a file here. The parts that all routes share, the request's
 * id and the shape of problems, are added automatically. A route without a
 * description is not in the document; `tests/functions/openapi/openapi_test.ts`
 * lists those.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import {
  describeRoute,
  type DescribeRouteOptions,
  resolver,
} from "hono-openapi";
import type * as v from "valibot";
import { markOpen } from "../../http/address/open_routes.ts";
import { type ProblemCode, PROBLEMS } from "../../http/errors/problems.ts";
import { ProblemAnswer } from "../../schema/answers/server.ts";

/** The responses by status. */
type Responses = NonNullable<DescribeRouteOptions["responses"]>;

/** One response. */
type ResponseDescription = Exclude<Responses[string], { $ref: string }>;

/** The bodies by media type. */
export type Content = NonNullable<ResponseDescription["content"]>;

/** The headers of an answer. */
export type AnswerHeaders = NonNullable<ResponseDescription["headers"]>;

/** A tag that groups routes. */
export type Tag = keyof typeof TAGS;

/** The tags in display order. */
export const TAGS = {
  functions: "Conversions between text, images and codes.",
  openai: "OpenAI-compatible API.",
  jobs: "Background jobs.",
  workflows: "Chains of functions as durable workflows.",
  predictions: "Replicate and Cog compatible API.",
  inference: "Open Inference Protocol (KServe V2).",
  mcp: "Model Context Protocol.",
  models: "Loaded models and their load.",
  health: "Health checks and metrics.",
  documentation: "API reference, OpenAPI document and problem types.",
} as const;

/** A description of a route. */
export interface RouteDescription {
  /** Name for client libraries, in camelCase; by path if mounted twice. */
  readonly id: string | ((path: string) => string);
  /** Tag of the route. */
  readonly tag: Tag;
  /** Summary in one line. */
  readonly summary: string;
  /** Description in Markdown. */
  readonly text?: string;
  /** Parameters in path, query and headers. */
  readonly parameters?: NonNullable<DescribeRouteOptions["parameters"]>;
  /** Request body by media type. */
  readonly body?: Content;
  /** Successful answers by status. */
  readonly answers: Readonly<Record<number, ResponseDescription>>;
  /** Problems that the route may answer with. */
  readonly problems: readonly ProblemCode[];
  /** Schema of its problems, if it differs from the common one. */
  readonly refusal?: v.GenericSchema;
  /** True if the route requires no key; for GET only. */
  readonly open?: boolean;
}

/** The problems of routes that wait for a model. */
export const MODEL_PROBLEMS: readonly ProblemCode[] = [
  "unknown-model",
  "not-acceptable",
  "not-ready",
  "overloaded",
  "interrupted",
  "shutting-down",
  "store-full",
  "deadline",
];

/** The problems of routes with a body. */
export const BODY_PROBLEMS: readonly ProblemCode[] = [
  "malformed-body",
  "body-too-slow",
  "body-too-large",
  "unsupported-media-type",
  "invalid-fields",
];

/**
 * The problems of POST: it counts against the rate limit, and may be repeated.
 */
export const POST_PROBLEMS: readonly ProblemCode[] = [
  "draining",
  "idempotency-conflict",
  "idempotency-mismatch",
  "quota-exceeded",
  "unread-answers",
];

/** The problems of any request. */
const ANY_PROBLEMS: readonly ProblemCode[] = [
  "malformed-request",
  "target-too-long",
];

/** The problems of any request except for health. */
const HOST_PROBLEMS: readonly ProblemCode[] = ["forbidden-host"];

/** The problems of requests that need a key. */
const CALLER_PROBLEMS: readonly ProblemCode[] = [
  "unauthorized",
  "forbidden-origin",
];

/**
 * Returns middleware that adds `route` to the document, and marks it as open if
 * it is.
 */
export function describe(route: RouteDescription): MiddlewareHandler {
  const { id, tag, summary, text, parameters, body, answers } = route;
  const counted = route.problems.includes("quota-exceeded");
  const always = { ...EVERYWHERE, ...(counted && RATE_LIMIT) };
  const described = Object.entries(answers).map(([status, answer]) => [
    status,
    { ...answer, headers: { ...answer.headers, ...always } },
  ]);
  const { open = false } = route;
  const codes: readonly ProblemCode[] = [
    ...route.problems,
    ...ANY_PROBLEMS,
    ...tag === "health" ? [] : HOST_PROBLEMS,
    ...open ? [] : CALLER_PROBLEMS,
  ];
  const handler = describeRoute({
    operationId: typeof id === "string" ? id : ({ path }) => id(path),
    tags: [tag],
    summary,
    ...(text !== undefined && { description: text }),
    ...(parameters !== undefined && { parameters }),
    ...(open && { security: [] }),
    ...(body !== undefined && {
      requestBody: { required: true, content: body },
    }),
    responses: {
      ...problemResponses(codes, route.refusal ?? ProblemAnswer, always),
      ...Object.fromEntries(described),
    },
  });
  return open ? markOpen(handler) : handler;
}

/** Returns the content of JSON described by `schema`. */
export function json(
  schema: v.GenericSchema,
  more: Omit<Content[string], "schema"> = {},
): Content {
  return { "application/json": { schema: resolver(schema), ...more } };
}

/** Returns the content of bytes of these media types. */
export function bytes(...types: readonly string[]): Content {
  const schema = { type: "string", format: "binary", minLength: 1 } as const;
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

/** Returns the description of a header. */
export function header(
  description: string,
  type: "string" | "integer",
  required = true,
): AnswerHeaders[string] {
  return { description, required, schema: { type } };
}

/** The headers of every answer. */
const EVERYWHERE: AnswerHeaders = {
  "X-Request-Id": header(
    "Request id, from the request or generated.",
    "string",
  ),
  "traceparent": header(
    "W3C Trace Context of the response, within the trace of the request.",
    "string",
    false,
  ),
};

/** The headers of answers that count against the rate limit. */
const RATE_LIMIT: AnswerHeaders = {
  "RateLimit": header(
    "Remaining requests and seconds until the quota is full again, if RATE_LIMIT is set.",
    "string",
    false,
  ),
  "RateLimit-Policy": header(
    "Quota: number of requests and window in seconds.",
    "string",
    false,
  ),
};

/** The header of answers that require a key. */
const CHALLENGE: AnswerHeaders = {
  "WWW-Authenticate": header("Bearer.", "string"),
};

const RETRY_AFTER: AnswerHeaders = {
  "Retry-After": header(
    "Seconds to wait before a retry, if a retry may succeed.",
    "integer",
    false,
  ),
};

/** Returns the responses of problems: those of one status share a response. */
function problemResponses(
  codes: readonly ProblemCode[],
  refusal: v.GenericSchema,
  always: AnswerHeaders,
): Responses {
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [`${status}`, {
      description: codes.map((code) =>
        `[${code}](/problems/${code}): ${PROBLEMS[code].title}`
      ).join("; "),
      content: {
        "application/problem+json": { schema: resolver(refusal) },
      },
      headers: {
        ...always,
        ...(status === 401 && CHALLENGE),
        ...([429, 503].includes(status) && RETRY_AFTER),
      },
    }]),
  );
}
