/**
 * The problem documents (RFC 9457) of errors. `problems.ts` lists all kinds.
 *
 * An `error` member in OpenAI's shape is added, so that its client
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
} from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escaped_text.ts";
import {
  isProblemCode,
  type ProblemCode,
  problemPath,
  PROBLEMS,
} from "./problems.ts";
import {
  DrainingError,
  type FieldError,
  InterruptedError,
  type InterruptedState,
  InvalidFieldsError,
  MethodNotAllowedError,
  NotReadyError,
  PictureRequiredError,
  QuotaError,
  UnauthorizedError,
  UnreadAnswersError,
} from "./errors.ts";
import { WorkflowsUnavailableError } from "./workflow_errors.ts";

/** A problem document. */
export interface Problem {
  /** URL of the page of the problem's kind. */
  readonly type: string;
  /** The kind in words. */
  readonly title: string;
  /** HTTP status. */
  readonly status: ContentfulStatusCode;
  /** Explanation of this occurrence. */
  readonly detail: string;
  /** Path of the request. */
  readonly instance: string;
  /** Id of the request, as in the log. */
  readonly "request_id": string;
  /** True if the same request may succeed later. */
  readonly retryable: boolean;
  /** Fields at fault. */
  readonly errors?: readonly FieldError[];
  /** The job that an interrupted request became. */
  readonly job?: string;
  /** Path at which that job continues. */
  readonly resume?: string;
  /** State to continue from without the job. */
  readonly state?: InterruptedState;
  /** Step of a workflow that failed. */
  readonly step?: string;
  /** The error in the shape of OpenAI's client libraries. */
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string;
    readonly param: string | null;
  };
}

/** The request in which a problem occurred. */
export interface ProblemContext {
  /** Id of the request. */
  readonly requestId: string;
  /** Path of the request. */
  readonly path: string;
  /** Base of the paths of this server's pages; empty for its root. */
  readonly pageBase: string;
  /** True if the client has disconnected. */
  readonly clientGone: boolean;
}

/** Statuses after which a retry may succeed. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 503, 504]);
/**
 * Codes after which a retry may succeed though their status is not retryable.
 */
const RETRYABLE_CODES: ReadonlySet<string> = new Set(["idempotency-conflict"]);

/** Maximum UTF-16 units of a detail: it may quote the request. */
const MAX_DETAIL = 2000;
/** Maximum UTF-16 units of a path or pointer. */
const MAX_PATH = 1024;

const UNEXPECTED =
  "Internal error: the server's log has the details under the request_id";

/** Returns the problem document of `error`. */
export function problemFrom(error: unknown, context: ProblemContext): Problem {
  const { code, detail: whole } = describe(error, context.clientGone);
  const detail = escapeText(whole, MAX_DETAIL);
  const { status, title } = PROBLEMS[code];
  const fields = fieldErrors(error);
  const retryable = RETRYABLE_CODES.has(code) ||
    (RETRYABLE.has(status) && !hopeless(error));
  return {
    type: `${context.pageBase}${problemPath(code)}`,
    title,
    status,
    detail,
    instance: instanceOf(context.path),
    "request_id": context.requestId,
    retryable,
    ...(fields.length > 0 && { errors: fields }),
    ...(error instanceof InterruptedError &&
      interruptedMembers(error, context)),
    error: {
      message: detail,
      type: status < 500 ? "invalid_request_error" : "server_error",
      code,
      param: fields[0]?.pointer.slice(1).replaceAll("/", ".") ?? null,
    },
  };
}

/** Returns the headers of the problem of `error`. */
export function problemHeaders(error: unknown): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  if (
    (error instanceof OverloadedError || error instanceof NotReadyError ||
      error instanceof QuotaError || error instanceof UnreadAnswersError ||
      error instanceof DrainingError ||
      error instanceof WorkflowsUnavailableError ||
      error instanceof InterruptedError) &&
    error.retryAfterSeconds !== undefined
  ) {
    headers["retry-after"] = `${error.retryAfterSeconds}`;
  }
  if (error instanceof InterruptedError && error.job !== undefined) {
    headers["location"] = `/v1/jobs/${error.job}`;
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

/** Returns true if `error` is unexpected, so that it belongs in the log. */
export function isUnexpected(error: unknown): boolean {
  return describe(error, true).code === "internal";
}

function describe(
  error: unknown,
  clientGone: boolean,
): { code: ProblemCode; detail: string } {
  if (error instanceof Emu3Error && isProblemCode(error.code)) {
    return { code: error.code, detail: error.message };
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return {
      code: "deadline",
      detail:
        "Deadline exceeded: the request took longer than REQUEST_TIMEOUT_S",
    };
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return clientGone
      ? {
        code: "client-gone",
        detail: "Client disconnected before the response was sent",
      }
      : {
        code: "shutting-down",
        detail: "Cannot finish: the server is shutting down; retry",
      };
  }
  return { code: "internal", detail: UNEXPECTED };
}

function interruptedMembers(
  { job, state }: InterruptedError,
  { pageBase }: ProblemContext,
): Pick<Problem, "job" | "resume" | "state"> {
  return {
    ...(job !== undefined &&
      { job, resume: `${pageBase}/v1/jobs/${job}/resume` }),
    ...(state !== undefined && { state }),
  };
}

/** Returns `path` as a reference to a URI (RFC 9457). */
function instanceOf(path: string): string {
  const kept = path.slice(0, MAX_PATH).toWellFormed();
  // Existing escapes are kept.
  return encodeURI(kept).replaceAll(/%25(?=[0-9a-f]{2})/gi, "%");
}

/**
 * Returns the field error with its names shortened: clients may choose them.
 */
function boundedField({ pointer, detail }: FieldError): FieldError {
  return {
    pointer: pointer.slice(0, MAX_PATH).toWellFormed(),
    detail: escapeText(detail, MAX_DETAIL),
  };
}

function fieldErrors(error: unknown): readonly FieldError[] {
  if (error instanceof InvalidFieldsError) {
    return error.fields.map(boundedField);
  }
  if (error instanceof PictureRequiredError) {
    return [{ pointer: error.pointer, detail: "expected an image" }];
  }
  if (
    error instanceof PromptTooLongError || error instanceof CacheTooSmallError
  ) {
    return [{ pointer: "", detail: error.message }];
  }
  return [];
}

/**
 * Returns true if a retry is useless: a model that failed to load is not loaded
 * again.
 */
function hopeless(error: unknown): boolean {
  return error instanceof NotReadyError &&
    error.retryAfterSeconds === undefined;
}
