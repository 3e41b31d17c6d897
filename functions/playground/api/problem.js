/**
 * What goes wrong between the page and the server.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ pointer: string, detail: string }} FieldFault
 * A field at fault: a JSON pointer into the body, and what was expected.
 *
 * @typedef {{ seed: number, images: { prefix: { height: number, width: number, codes: number[][] } }[] }} ResumeState
 * What it takes to go on with a picture elsewhere.
 *
 * @typedef {{ status: number, detail: string, type?: string, retryable?: boolean, errors?: FieldFault[], state?: ResumeState }} ProblemDocument
 * A problem as the server tells it (RFC 9457).
 */

/** What the server says when it refuses. */
export class ProblemError extends Error {
  /**
   * @param {ProblemDocument} problem
   * @param {number} [retryAfterSeconds] When asking again may help.
   */
  constructor(problem, retryAfterSeconds) {
    super(problem.detail);
    this.name = "ProblemError";
    /** HTTP status. */
    this.status = problem.status;
    /** The kind, such as `overloaded`; empty where the server does not say. */
    this.code = problem.type?.split("/").at(-1) ?? "";
    /** Whether the same request may succeed later. */
    this.retryable = problem.retryable ?? false;
    /** Fields at fault. */
    this.errors = problem.errors ?? [];
    /** What it takes to go on, if it was interrupted. */
    this.state = problem.state;
    /** When asking again may help, if the server says. */
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server did not answer, or broke off in the middle. */
export class UnreachableError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("The server cannot be reached.", { cause });
    this.name = "UnreachableError";
  }
}

/**
 * The problem that `response` holds.
 *
 * @param {Response} response
 * @returns {Promise<ProblemError>}
 */
export async function problemOf(response) {
  const { status } = response;
  const after = response.headers.get("retry-after");
  const seconds = after === null ? NaN : Number(after);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  try {
    const problem = await response.json();
    return new ProblemError({ ...problem, status }, retryAfter);
  } catch {
    // Whoever stands between answers in words of its own.
    const detail = `The server answered ${status}.`;
    const retryable = status === 502 || status === 503 || status === 504;
    return new ProblemError({ status, detail, retryable }, retryAfter);
  }
}
