/**
 * The answers to requests that reach no route: malformed HTTP, and readers with
 * too many unread bytes.
 *
 * @module
 */

import { OverloadedError } from "../../../lib/errors.ts";
import type { LogSink } from "../../middleware/access_log.ts";
import { problemFrom, problemHeaders } from "../errors/problem.ts";
import { PROBLEMS } from "../errors/problems.ts";
import { RequestHeadError } from "./request_errors.ts";

/** The kind of fault of a request that cannot be read. */
export type Malformed =
  | "malformed-request"
  | "head-too-large"
  | "head-too-slow";

/** Message of each kind of fault. */
const FAULTS: Readonly<Record<Malformed, string>> = {
  "malformed-request": "it is not valid HTTP/1.1",
  "head-too-large": "its request target and headers are too long",
  "head-too-slow": "its request target and headers arrive too slowly",
};

/** Returns the problem of a request whose head cannot be read. */
export function malformedAnswer(kind: Malformed): Response {
  return problemAnswer(new RequestHeadError(kind, FAULTS[kind]));
}

/**
 * Logs a request whose head cannot be read: its path and caller are unknown.
 */
export function logMalformed(sink: LogSink, kind: Malformed): void {
  sink.access({
    time: new Date().toISOString(),
    id: "",
    method: "",
    path: "",
    status: PROBLEMS[kind].status,
    "duration_ms": 0,
    principal: "",
    tokens: undefined,
    model: undefined,
    "queue_ms": undefined,
    "prefill_ms": undefined,
    "decode_ms": undefined,
    "vision_ms": undefined,
    trace: undefined,
  });
}

/** Retry-After seconds for a reader with too many unread bytes. */
const UNSENT_RETRY_SECONDS = 5;

/**
 * Returns the problem of an answer that would exceed the limit of unread bytes.
 *
 * @param headers Headers of the answer that it replaces.
 */
export function unsentAnswer(headers: Headers): Response {
  const id = headers.get("x-request-id") ?? undefined;
  return problemAnswer(new OverloadedError(UNSENT_RETRY_SECONDS), id);
}

function problemAnswer(
  error: Error,
  requestId: string = crypto.randomUUID(),
): Response {
  const context = { requestId, path: "/", pageBase: "", clientGone: false };
  const problem = problemFrom(error, context);
  const headers = {
    ...problemHeaders(error),
    "x-request-id": requestId,
    connection: "close",
  };
  const { status } = problem;
  return new Response(JSON.stringify(problem), { status, headers });
}
