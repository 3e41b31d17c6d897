/**
 * What the HTTP side refuses, as errors that `problem.ts` gives a status.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";
import type { GridFields } from "../grid_json.ts";

/** A field and what is wrong with it. */
export interface FieldError {
  /** JSON pointer, `""` for the body itself. */
  readonly pointer: string;
  /** What is expected; never the value that was sent. */
  readonly detail: string;
}

/** A body that cannot be read at all. */
export class MalformedBodyError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param message What is the case.
   */
  constructor(message: string, options?: ErrorOptions) {
    super("malformed-body", `Cannot read body: ${message}`, options);
  }
}

/** A body of more bytes than are taken. */
export class BodyTooLargeError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param maxBytes How many are taken.
   */
  constructor(maxBytes: number) {
    super(
      "body-too-large",
      `Cannot read body: at most ${maxBytes} bytes are taken (MAX_BODY_BYTES)`,
    );
  }
}

/** A body with more structure than is taken: JSON values, parts of a form. */
export class BodyTooComplexError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param limit The limit that the body passes.
   */
  constructor(limit: string) {
    super("body-too-large", `Cannot read body: ${limit}`);
  }
}

/** A body of a type that the route does not take. */
export class MediaTypeError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param message What is the case.
   */
  constructor(message: string) {
    super("unsupported-media-type", `Cannot read body: ${message}`);
  }
}

/** Fields that are missing, unknown, of the wrong type or out of range. */
export class InvalidFieldsError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param fields One or more.
   */
  constructor(
    /** One or more. */
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

/** A question of text alone, for a model that was not trained on any. */
export class PictureRequiredError extends Emu3Error {
  /**
   * Says what to do.
   *
   * @param model Its name.
   * @param pointer Of what was asked, in the body.
   */
  constructor(model: string, readonly pointer: string) {
    super(
      "picture-required",
      `Cannot answer text alone: "${model}" answers questions about pictures, attach one to your message`,
    );
  }
}

/** Nothing that the client accepts can be made. */
export class NotAcceptableError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param offered Media types that can be made.
   */
  constructor(offered: readonly string[]) {
    super(
      "not-acceptable",
      `Cannot answer as asked: there is ${offered.join(", ")}`,
    );
  }
}

/** A route, or a function that is switched off. */
export class NotFoundError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param message What is the case.
   */
  constructor(message: string) {
    super("not-found", message);
  }
}

/** A model that is not here, or does not serve this function. */
export class UnknownModelError extends Emu3Error {
  /**
   * Says what was asked for and what there is.
   *
   * @param model As the request names it.
   * @param known Names that would do.
   */
  constructor(model: string, known: readonly string[]) {
    const names = known.map((name) => `"${name}"`).join(", ");
    super(
      "unknown-model",
      `Cannot find model "${model}": this function is served by ${names}`,
    );
  }
}

/** A job that is not here, or not the caller's. */
export class UnknownJobError extends Emu3Error {
  /** Says that there is none. */
  constructor() {
    super(
      "unknown-job",
      "Cannot find job: there is none of this name, or no more (JOB_TTL_S)",
    );
  }
}

/** A job that stands where it cannot do what is asked. */
export class JobConflictError extends Emu3Error {
  /**
   * Says where it stands.
   *
   * @param status As it is told.
   */
  constructor(status: string) {
    super(
      "job-conflict",
      `Cannot resume job: it is ${status}, and only what was interrupted goes on`,
    );
  }
}

/** A key whose first request has no answer yet. */
export class IdempotencyConflictError extends Emu3Error {
  /** Says what to do. */
  constructor() {
    super(
      "idempotency-conflict",
      "Cannot answer again: the first request with this Idempotency-Key is still at work, ask later",
    );
  }
}

/** A key that another request came with. */
export class IdempotencyMismatchError extends Emu3Error {
  /** Says what to do. */
  constructor() {
    super(
      "idempotency-mismatch",
      "Cannot use Idempotency-Key: another request came with it, use a new one",
    );
  }
}

/** A client that wants an answer other than the one it would get. */
export class PreconditionFailedError extends Emu3Error {
  /**
   * Says what is the case.
   *
   * @param message Of the answer.
   */
  constructor(message: string) {
    super("precondition-failed", `Cannot answer as asked: ${message}`);
  }
}

/** An adapter that is not here. */
export class UnknownAdapterError extends Emu3Error {
  /**
   * Says what was asked for and what there is.
   *
   * @param adapter As the request names it.
   * @param known Names that would do.
   */
  constructor(adapter: string, known: readonly string[]) {
    const names = known.map((name) => `"${name}"`).join(", ");
    super(
      "unknown-adapter",
      `Cannot find adapter "${adapter}": ${
        names === "" ? "none is loaded" : `there is ${names}`
      }`,
    );
  }
}

/** A path that is there, but not for this method. */
export class MethodNotAllowedError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param allowed Methods that it takes.
   */
  constructor(
    /** Methods that it takes. */
    readonly allowed: readonly string[],
  ) {
    super(
      "method-not-allowed",
      `Cannot answer: this path takes ${allowed.join(", ")}`,
    );
  }
}

/** A model that is still loading, or has failed to. */
export class NotReadyError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param retryAfterSeconds When asking again may help; undefined for never.
   */
  constructor(
    message: string,
    /** When asking again may help; undefined for never. */
    readonly retryAfterSeconds?: number,
  ) {
    super("not-ready", message);
  }
}

/** A body that comes more slowly than is waited for. */
export class BodyTooSlowError extends Emu3Error {
  /**
   * Says what is wrong.
   *
   * @param bytesPerSecond What is waited for.
   */
  constructor(bytesPerSecond: number) {
    super(
      "body-too-slow",
      `Cannot read body: it comes with less than ${bytesPerSecond} bytes a second`,
    );
  }
}

/** A request without a key, or with one that is not known. */
export class UnauthorizedError extends Emu3Error {
  /** Says what would do. */
  constructor(
    /** Whether there was one. */
    readonly shown: boolean,
  ) {
    super(
      "unauthorized",
      shown
        ? "Cannot answer: this API key is not known, send a known one as Authorization: Bearer <key>"
        : "Cannot answer: an API key is needed, send it as Authorization: Bearer <key>",
    );
  }
}

/** A caller that has asked as often as it may. */
export class QuotaError extends Emu3Error {
  /** Says when to come back. */
  constructor(
    /** When one more request is let in. */
    readonly retryAfterSeconds: number,
  ) {
    super(
      "quota-exceeded",
      `Cannot answer yet: the quota is used up, ask again in ${retryAfterSeconds} s`,
    );
  }
}

/** More answers that nobody reads than a caller may have. */
export class UnreadAnswersError extends Emu3Error {
  /** Says when to come back. */
  constructor(
    /** Retry-After seconds. */
    readonly retryAfterSeconds: number,
  ) {
    super(
      "unread-answers",
      `Cannot answer yet: too many answers or events wait to be read, read or close some and try again in ${retryAfterSeconds} s`,
    );
  }
}

/** When a server that takes the place of one that stops may be there. */
const NEXT_SERVER_SECONDS = 1;

/** Something new, for a server that is to stop. */
export class DrainingError extends Emu3Error {
  /** When to send it again. */
  readonly retryAfterSeconds = NEXT_SERVER_SECONDS;

  /** Says what to do. */
  constructor() {
    super(
      "draining",
      "Cannot start: the server is stopping, send it again: another one, or the next, answers",
    );
  }
}

/** What it takes to go on with a request elsewhere. */
export interface InterruptedState {
  /** That it was drawn with. */
  readonly seed: number;
  /** The picture so far; nothing where it cannot go on by its rows. */
  readonly images: readonly { readonly prefix: GridFields }[];
}

/** A request that the server could not finish before it stopped. */
export class InterruptedError extends Emu3Error {
  /** When to go on. */
  readonly retryAfterSeconds = NEXT_SERVER_SECONDS;

  /** Says how it goes on. */
  constructor(
    /** The job that it became; undefined where none is kept. */
    readonly job: string | undefined,
    /** Undefined for what had not begun. */
    readonly state: InterruptedState | undefined,
  ) {
    const remedy = job !== undefined
      ? `POST /v1/jobs/${job}/resume goes on with it on the next one`
      : state === undefined
      ? "send it again"
      : `send it again, with the seed ${state.seed} for the same`;
    super("interrupted", `Cannot finish: the server is stopping, ${remedy}`);
  }
}

/** One field that is wrong for a reason that no schema can state. */
export function invalidField(
  pointer: string,
  detail: string,
  options?: ErrorOptions,
): InvalidFieldsError {
  return new InvalidFieldsError([{ pointer, detail }], options);
}
