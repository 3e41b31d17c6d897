/**
 * Errors as HTTP: the one table of statuses, and problem documents (RFC 9457).
 *
 * An `error` member in OpenAI's shape stands beside, so that its client
 * libraries show the message. Prompts, pixels and stack traces never appear.
 *
 * @module
 */

import type { ContentfulStatusCode } from "hono/utils/http-status";
import {
  CacheTooSmallError,
  Emu3Error,
  OverloadedError,
  PromptTooLongError,
} from "../lib/errors.ts";
import {
  type FieldError,
  InvalidFieldsError,
  MethodNotAllowedError,
  NotReadyError,
  QuotaError,
  UnauthorizedError,
} from "./refusals.ts";

/** A problem document. */
export interface Problem {
  /** What kind it is, as a URI. */
  readonly type: string;
  /** The kind in words. */
  readonly title: string;
  /** HTTP status. */
  readonly status: ContentfulStatusCode;
  /** What happened this time. */
  readonly detail: string;
  /** Path of the request. */
  readonly instance: string;
  /** Of the request, as in the log. */
  readonly "request_id": string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Fields at fault. */
  readonly errors?: readonly FieldError[];
  /** The same for OpenAI's client libraries. */
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string;
    readonly param: string | null;
  };
}

/** Where a problem came up. */
export interface ProblemContext {
  /** Of the request. */
  readonly requestId: string;
  /** Of the request. */
  readonly path: string;
  /** Whether nobody is there to read the answer. */
  readonly clientGone: boolean;
}

/** Status and title by error code. */
const PROBLEMS: Readonly<
  Record<string, readonly [ContentfulStatusCode, string]>
> = {
  "malformed-body": [400, "Malformed body"],
  "unauthorized": [401, "Key needed"],
  "forbidden-origin": [403, "Origin not allowed"],
  "not-found": [404, "Not found"],
  "unknown-model": [404, "Unknown model"],
  "unknown-adapter": [404, "Unknown adapter"],
  "unknown-job": [404, "Unknown job"],
  "job-conflict": [409, "Job cannot do that"],
  "idempotency-conflict": [409, "Request still at work"],
  "idempotency-mismatch": [422, "Key of another request"],
  "method-not-allowed": [405, "Method not allowed"],
  "not-acceptable": [406, "Not acceptable"],
  "body-too-slow": [408, "Body too slow"],
  "precondition-failed": [412, "Precondition failed"],
  "body-too-large": [413, "Body too large"],
  "image-too-large": [413, "Picture too large"],
  "unreadable-image": [415, "Unreadable picture"],
  "unsupported-media-type": [415, "Unsupported media type"],
  "image-size": [422, "Picture of unsuitable size"],
  "invalid-fields": [422, "Invalid fields"],
  "malformed-grid": [422, "Malformed grid"],
  "prompt-too-long": [422, "Prompt too long"],
  "cache-too-small": [422, "Memory too small"],
  "quota-exceeded": [429, "Quota used up"],
  // Nobody reads this one: it is in the log as 499.
  "client-gone": [400, "Client went away"],
  "internal": [500, "Internal error"],
  "bad-checkpoint": [503, "Model failed"],
  "cannot-quantize": [503, "Model failed"],
  "not-ready": [503, "Model not ready"],
  "overloaded": [503, "Overloaded"],
  "shutting-down": [503, "Shutting down"],
  "deadline": [504, "Deadline exceeded"],
};

/** Statuses after which trying again may help. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 503, 504]);
/** The same by code, where the status does not say. */
const RETRYABLE_CODES: ReadonlySet<string> = new Set(["idempotency-conflict"]);

const UNEXPECTED = "Cannot answer: something unexpected happened here";

/** The problem document of `error`. */
export function problemFrom(error: unknown, context: ProblemContext): Problem {
  const { code, detail } = describe(error, context.clientGone);
  const [status, title] = PROBLEMS[code]!;
  const fields = fieldErrors(error);
  const retryable = RETRYABLE_CODES.has(code) ||
    (RETRYABLE.has(status) && !hopeless(error));
  return {
    type: `urn:emu3:problem:${code}`,
    title,
    status,
    detail,
    instance: context.path,
    "request_id": context.requestId,
    retryable,
    ...(fields.length > 0 && { errors: fields }),
    error: {
      message: detail,
      type: status < 500 ? "invalid_request_error" : "server_error",
      code,
      param: fields[0]?.pointer.slice(1).replaceAll("/", ".") ?? null,
    },
  };
}

/** Headers that go with the problem of `error`. */
export function problemHeaders(error: unknown): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  if (
    (error instanceof OverloadedError || error instanceof NotReadyError ||
      error instanceof QuotaError) &&
    error.retryAfterSeconds !== undefined
  ) {
    headers["retry-after"] = `${error.retryAfterSeconds}`;
  }
  if (error instanceof MethodNotAllowedError) {
    headers["allow"] = error.allowed.join(", ");
  }
  if (error instanceof UnauthorizedError) {
    const wrong = error.shown ? ', error="invalid_token"' : "";
    headers["www-authenticate"] = `Bearer realm="emu3"${wrong}`;
  }
  return headers;
}

/** Whether nobody foresaw `error`: it belongs into the log. */
export function isUnexpected(error: unknown): boolean {
  return describe(error, true).code === "internal";
}

function describe(
  error: unknown,
  clientGone: boolean,
): { code: string; detail: string } {
  if (error instanceof Emu3Error && error.code in PROBLEMS) {
    return { code: error.code, detail: error.message };
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return {
      code: "deadline",
      detail:
        "Cannot finish in time: the request took longer than REQUEST_TIMEOUT_S",
    };
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return clientGone
      ? { code: "client-gone", detail: "Cannot answer: the client left" }
      : {
        code: "shutting-down",
        detail: "Cannot finish: the server is shutting down",
      };
  }
  return { code: "internal", detail: UNEXPECTED };
}

function fieldErrors(error: unknown): readonly FieldError[] {
  if (error instanceof InvalidFieldsError) return error.fields;
  if (
    error instanceof PromptTooLongError || error instanceof CacheTooSmallError
  ) {
    return [{ pointer: "", detail: error.message }];
  }
  return [];
}

/** A model that failed to load does not load by waiting. */
function hopeless(error: unknown): boolean {
  return error instanceof NotReadyError &&
    error.retryAfterSeconds === undefined;
}
