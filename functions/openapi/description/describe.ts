/**
 * How a route is described for `/openapi.json`.
 *
 * A description stands before the handler, where the route is mounted:
 *
 * ```ts ignore
 * app.get("/v1/models", describe({
 *   id: "listModels",
 *   tag: "models",
 *   summary: "What is loaded",
 *   answers: { 200: { description: "All models", content: json(ModelsAnswer) } },
 *   problems: ["not-ready"],
 * }), (c) => …);
 * ```
 *
 * Longer ones have a file here. What every route has, the request's id and the
 * shape of problems, is added by itself. A route that nobody described is not
 * in the document; `tests/functions/openapi/openapi_test.ts` lists those.
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
import { type ProblemCode, PROBLEMS } from "../../http/errors/problems.ts";
import { ProblemAnswer } from "../../schema/answers/server.ts";

/** Responses by status. */
type Responses = NonNullable<DescribeRouteOptions["responses"]>;

/** One response. */
type ResponseDescription = Exclude<Responses[string], { $ref: string }>;

/** Bodies by media type. */
export type Content = NonNullable<ResponseDescription["content"]>;

/** Headers of an answer. */
export type AnswerHeaders = NonNullable<ResponseDescription["headers"]>;

/** What belongs together. */
export type Tag = keyof typeof TAGS;

/** Tags, in the order that they are shown. */
export const TAGS = {
  functions: "Text, pictures, codes: each into each other.",
  openai: "The same, for OpenAI's clients.",
  jobs: "Requests that outlive their connection.",
  predictions: "The same, for clients of Replicate and Cog.",
  inference: "The same as tensors: the Open Inference Protocol (KServe V2).",
  mcp: "The same as tools of the Model Context Protocol.",
  models: "What is loaded, and how busy it is.",
  health: "For whatever watches the server.",
  documentation: "This page, its source, and the kinds of problems.",
} as const;

/** A route, described. */
export interface RouteDescription {
  /** A name for client libraries, camelCase; by path if mounted twice. */
  readonly id: string | ((path: string) => string);
  /** What it belongs to. */
  readonly tag: Tag;
  /** One line. */
  readonly summary: string;
  /** More, in Markdown. */
  readonly text?: string;
  /** In path, query and headers. */
  readonly parameters?: NonNullable<DescribeRouteOptions["parameters"]>;
  /** Its body, by media type. */
  readonly body?: Content;
  /** When it goes well, by status. */
  readonly answers: Readonly<Record<number, ResponseDescription>>;
  /** What may come instead. */
  readonly problems: readonly ProblemCode[];
  /** The shape of its problems, where it is another one than everywhere. */
  readonly refusal?: v.GenericSchema;
  /** Whether anybody may ask although the rest of its tag needs a key. */
  readonly open?: boolean;
}

/** What any route may answer that waits for a model. */
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

/** What any route may answer that takes a body. */
export const BODY_PROBLEMS: readonly ProblemCode[] = [
  "malformed-body",
  "body-too-slow",
  "body-too-large",
  "unsupported-media-type",
  "invalid-fields",
];

/** What any POST may answer: it is counted, and may come again. */
export const POST_PROBLEMS: readonly ProblemCode[] = [
  "draining",
  "idempotency-conflict",
  "idempotency-mismatch",
  "quota-exceeded",
  "unread-answers",
];

/** Problems of any request. */
const ANY_PROBLEMS: readonly ProblemCode[] = [
  "malformed-request",
  "target-too-long",
];

/** Problems of any request but for health. */
const HOST_PROBLEMS: readonly ProblemCode[] = ["forbidden-host"];

/** Problems of any request that not everybody may send. */
const CALLER_PROBLEMS: readonly ProblemCode[] = [
  "unauthorized",
  "forbidden-origin",
];

/** What is told to anybody. */
const OPEN_TAGS: ReadonlySet<Tag> = new Set(["health", "documentation"]);

/** Puts `route` into the document. */
export function describe(route: RouteDescription): MiddlewareHandler {
  const { id, tag, summary, text, parameters, body, answers } = route;
  const counted = route.problems.includes("quota-exceeded");
  const always = { ...EVERYWHERE, ...(counted && RATE_LIMIT) };
  const told = Object.entries(answers).map(([status, answer]) => [
    status,
    { ...answer, headers: { ...answer.headers, ...always } },
  ]);
  const open = route.open ?? OPEN_TAGS.has(tag);
  const codes: readonly ProblemCode[] = [
    ...route.problems,
    ...ANY_PROBLEMS,
    ...tag === "health" ? [] : HOST_PROBLEMS,
    ...open ? [] : CALLER_PROBLEMS,
  ];
  return describeRoute({
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
      ...Object.fromEntries(told),
    },
  });
}

/** JSON as `schema` has it. */
export function json(
  schema: v.GenericSchema,
  more: Omit<Content[string], "schema"> = {},
): Content {
  return { "application/json": { schema: resolver(schema), ...more } };
}

/** Bytes of these media types. */
export function bytes(...types: readonly string[]): Content {
  const schema = { type: "string", format: "binary", minLength: 1 } as const;
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

/** A header of an answer. */
export function header(
  description: string,
  type: "string" | "integer",
  required = true,
): AnswerHeaders[string] {
  return { description, required, schema: { type } };
}

/** Of every answer. */
const EVERYWHERE: AnswerHeaders = {
  "X-Request-Id": header("Taken from the request, or made.", "string"),
  "traceparent": header(
    "Where the answer stands in the trace that the request names.",
    "string",
    false,
  ),
};

/** Of every answer to what is counted. */
const RATE_LIMIT: AnswerHeaders = {
  "RateLimit": header(
    "Requests that are left, and seconds until all are: where the server has a RATE_LIMIT.",
    "string",
    false,
  ),
  "RateLimit-Policy": header(
    "Requests and seconds of the quota.",
    "string",
    false,
  ),
};

/** What a client needs where it is asked for a key. */
const CHALLENGE: AnswerHeaders = {
  "WWW-Authenticate": header("Bearer.", "string"),
};

const RETRY_AFTER: AnswerHeaders = {
  "Retry-After": header("Seconds, where waiting may help.", "integer", false),
};

/** Problems of one status share a response, which names them all. */
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
