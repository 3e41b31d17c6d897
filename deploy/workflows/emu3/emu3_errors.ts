/**
 * The errors of calls to the endpoints.
 *
 * @module
 */

/** A request that the server refuses: the same would be refused again. */
export class RefusedError extends Error {
  /** HTTP status of the refusal. */
  readonly status: number;
  /** Problem document of the refusal. */
  readonly problem: Readonly<Record<string, unknown>>;

  /** Creates the error of a problem document. */
  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    const { detail, title } = problem;
    super(`${detail ?? title ?? `the server answered ${status}`}`);
    this.name = "RefusedError";
    this.status = status;
    this.problem = problem;
  }
}

/** A request without an answer: the server failed, or was not reached. */
export class UnansweredError extends Error {
  /** Name of the class. */
  override readonly name = "UnansweredError";
}

/** Returns `value` unless it is undefined: a field that an answer must have. */
export function present<T>(value: T | undefined, field: string): T {
  if (value !== undefined) return value;
  throw new UnansweredError(`the answer lacks ${field}`);
}
