/**
 * The errors of the HTTP side; `problem.ts` gives each a status.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";
import type { ClipFields, GridFields } from "../../schema/common.ts";

/** An invalid field and its fault. */
export interface FieldError {
  /** JSON pointer, `""` for the body itself. */
  readonly pointer: string;
  /** Expectation that failed; never the value that was sent. */
  readonly detail: string;
}

/** The error of an unreadable body. */
export class MalformedBodyError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param message Description of the fault.
   */
  constructor(message: string, options?: ErrorOptions) {
    super("malformed-body", `Cannot read body: ${message}`, options);
  }
}

/** A body of more bytes than are accepted. */
export class BodyTooLargeError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param maxBytes Maximum bytes of a body.
   */
  constructor(maxBytes: number) {
    super(
      "body-too-large",
      `Cannot read body: it is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`,
    );
  }
}

/**
 * A body with more structure than is accepted: JSON values, parts of a form.
 */
export class BodyTooComplexError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param limit The exceeded limit.
   */
  constructor(limit: string) {
    super("body-too-large", `Cannot read body: ${limit}`);
  }
}

/** A body of a type that the route does not accept. */
export class MediaTypeError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param message Description of the fault.
   */
  constructor(message: string) {
    super("unsupported-media-type", `Cannot read body: ${message}`);
  }
}

/** Fields that are missing, unknown, of the wrong type or out of range. */
export class InvalidFieldsError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param fields Invalid fields, at least one.
   */
  constructor(
    /** Invalid fields, at least one. */
    readonly fields: readonly FieldError[],
    options?: ErrorOptions,
  ) {
    const list = fields.slice(0, 3)
      .map(({ pointer, detail }) => `${pointer || "body"}: ${detail}`);
    const more = fields.length > 3 ? `; and ${fields.length - 3} more` : "";
    super(
      "invalid-fields",
      `Cannot use request: ${list.join("; ")}${more}`,
      options,
    );
  }
}

/** A question without an image, for a model that requires one. */
export class PictureRequiredError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param model Name of the model.
   * @param pointer JSON pointer to the question.
   */
  constructor(model: string, readonly pointer: string) {
    super(
      "picture-required",
      `Cannot answer without an image: "${model}" only answers questions about images; attach one to the message`,
    );
  }
}

/** An `Accept` header that allows none of the offered types. */
export class NotAcceptableError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param offered Media types that can be made.
   */
  constructor(offered: readonly string[]) {
    super(
      "not-acceptable",
      `Cannot satisfy the Accept header: available media types are ${
        offered.join(", ")
      }`,
    );
  }
}

/** An unknown route, or one of a disabled function. */
export class NotFoundError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param message Description of the fault.
   */
  constructor(message: string) {
    super("not-found", message);
  }
}

/** A model that is not served, or not for this function. */
export class UnknownModelError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param model Name in the request.
   * @param known Names of the models that are served.
   */
  constructor(model: string, known: readonly string[]) {
    const names = known.map((name) => `"${name}"`).join(", ");
    super(
      "unknown-model",
      `Cannot find model "${model}": models of this function are ${names}`,
    );
  }
}

/** A job that does not exist, or belongs to another caller. */
export class UnknownJobError extends Emu3Error {
  /** Creates the error. */
  constructor() {
    super(
      "unknown-job",
      "Cannot find job: it does not exist, or its retention time is over (JOB_TTL_S)",
    );
  }
}

/** A job whose status does not allow the operation. */
export class JobConflictError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param status Status of the job.
   */
  constructor(status: string) {
    super(
      "job-conflict",
      `Cannot resume job: it is ${status}; only interrupted jobs can be resumed`,
    );
  }
}

/** An idempotency key whose first request has no answer yet. */
export class IdempotencyConflictError extends Emu3Error {
  /** Creates the error. */
  constructor() {
    super(
      "idempotency-conflict",
      "Cannot repeat the response: the first request with this Idempotency-Key is in progress; retry later",
    );
  }
}

/** An idempotency key that another request used. */
export class IdempotencyMismatchError extends Emu3Error {
  /** Creates the error. */
  constructor() {
    super(
      "idempotency-mismatch",
      "Cannot use Idempotency-Key: it was used with a different request; use a new key",
    );
  }
}

/** An adapter that is not loaded. */
export class UnknownAdapterError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param adapter Name in the request.
   * @param known Names of the adapters that are loaded.
   */
  constructor(adapter: string, known: readonly string[]) {
    const names = known.map((name) => `"${name}"`).join(", ");
    super(
      "unknown-adapter",
      `Cannot find adapter "${adapter}": ${
        names === "" ? "no adapters are loaded" : `loaded adapters are ${names}`
      }`,
    );
  }
}

/** A route that does not accept this method. */
export class MethodNotAllowedError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param allowed Methods that the route accepts.
   */
  constructor(
    /** Methods that the route accepts. */
    readonly allowed: readonly string[],
  ) {
    super(
      "method-not-allowed",
      `Method not allowed: use ${allowed.join(", ")}`,
    );
  }
}

/** A model that is still loading, or has failed to. */
export class NotReadyError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param retryAfterSeconds Retry-After seconds; undefined if a retry is
   * useless.
   */
  constructor(
    message: string,
    /** Retry-After seconds; undefined if a retry is useless. */
    readonly retryAfterSeconds?: number,
  ) {
    super("not-ready", message);
  }
}

/** A body that arrives below the minimum pace. */
export class BodyTooSlowError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param bytesPerSecond Minimum pace.
   */
  constructor(bytesPerSecond: number) {
    super(
      "body-too-slow",
      `Cannot read body: it arrives at less than ${bytesPerSecond} bytes per second; use a faster connection`,
    );
  }
}

/** A request without an API key, or with an unknown one. */
export class UnauthorizedError extends Emu3Error {
  /** Creates the error. */
  constructor(
    /** True if the request had a key. */
    readonly shown: boolean,
  ) {
    super(
      "unauthorized",
      shown
        ? "Unknown API key: send a valid key as Authorization: Bearer <key>"
        : "API key required: send it as Authorization: Bearer <key>",
    );
  }
}

/** A caller that has used up its rate limit. */
export class QuotaError extends Emu3Error {
  /** Creates the error. */
  constructor(
    /** Retry-After seconds until one more request is admitted. */
    readonly retryAfterSeconds: number,
  ) {
    super(
      "quota-exceeded",
      `Rate limit exceeded: retry in ${retryAfterSeconds} s`,
    );
  }
}

/** The error of a caller with too many unread answers. */
export class UnreadAnswersError extends Emu3Error {
  /** Creates the error. */
  constructor(
    /** Retry-After seconds. */
    readonly retryAfterSeconds: number,
  ) {
    super(
      "unread-answers",
      `Too many unread responses or events: read or close some, and retry in ${retryAfterSeconds} s`,
    );
  }
}

/** Retry-After seconds for a stopping server, until another may replace it. */
const NEXT_SERVER_SECONDS = 1;

/** A new request to a server that is shutting down. */
export class DrainingError extends Emu3Error {
  /** Retry-After seconds. */
  readonly retryAfterSeconds = NEXT_SERVER_SECONDS;

  /** Creates the error. */
  constructor() {
    super(
      "draining",
      "Server draining: it starts no new requests; retry on a new connection to reach another or the next instance",
    );
  }
}

/** The state from which another server resumes a request. */
export interface InterruptedState {
  /** Seed of the generation. */
  readonly seed: number;
  /** Pictures so far; empty if their rows cannot be continued. */
  readonly images: readonly { readonly prefix: GridFields }[];
  /** Clips so far; undefined if their frames cannot be continued. */
  readonly clips?: readonly { readonly clip: ClipFields }[];
}

/** A request that the server could not finish before it stopped. */
export class InterruptedError extends Emu3Error {
  /** Retry-After seconds. */
  readonly retryAfterSeconds = NEXT_SERVER_SECONDS;

  /** Creates the error. */
  constructor(
    /** Job that the request became; undefined if none is stored. */
    readonly job: string | undefined,
    /** State to continue from; undefined if generation had not begun. */
    readonly state: InterruptedState | undefined,
  ) {
    const remedy = job !== undefined
      ? `POST /v1/jobs/${job}/resume to the next instance to continue`
      : state === undefined
      ? "retry the request"
      : `retry the request with seed ${state.seed} for the same result`;
    super(
      "interrupted",
      `Cannot finish: the server is shutting down; ${remedy}`,
    );
  }
}

/**
 * Returns the error of one field with a fault that no schema states.
 */
export function invalidField(
  pointer: string,
  detail: string,
  options?: ErrorOptions,
): InvalidFieldsError {
  return new InvalidFieldsError([{ pointer, detail }], options);
}
