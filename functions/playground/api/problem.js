/**
 * The errors of calls from the page to the server.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ pointer: string, detail: string }} FieldFault
 * Invalid field: a JSON pointer into the body, and the expected value.
 *
 * @typedef {{ seed: number, images: { prefix: { height: number, width: number, codes: number[][] } }[] }} ResumeState
 * State from which a drawing can be resumed, also on another server.
 *
 * @typedef {{ status: number, detail: string, type?: string, retryable?: boolean, errors?: FieldFault[], state?: ResumeState }} ProblemDocument
 * Problem document of the server (RFC 9457).
 */

/** An error answer of the server. */
export class ProblemError extends Error {
  /**
   * @param {ProblemDocument} problem
   * @param {number} [retryAfterSeconds] Seconds until a retry may help.
   */
  constructor(problem, retryAfterSeconds) {
    super(problem.detail);
    this.name = "ProblemError";
    /** HTTP status. */
    this.status = problem.status;
    /** Problem code, such as `overloaded`; empty if the server gives none. */
    this.code = problem.type?.split("/").at(-1) ?? "";
    /** True if the same request may succeed later. */
    this.retryable = problem.retryable ?? false;
    /** Invalid fields. */
    this.errors = problem.errors ?? [];
    /** Resume state, if the request was interrupted. */
    this.state = problem.state;
    /** Seconds until a retry may help, if the server gives them. */
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server did not answer, or closed the connection early. */
export class UnreachableError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super("The server is not reachable.", { cause });
    this.name = "UnreachableError";
  }
}

/**
 * Reads the problem of `response`.
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
    // Proxies answer with bodies of their own.
    const detail = `The server responded with status ${status}.`;
    const retryable = status === 502 || status === 503 || status === 504;
    return new ProblemError({ status, detail, retryable }, retryAfter);
  }
}
