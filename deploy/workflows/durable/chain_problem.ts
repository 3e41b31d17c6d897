/**
 * The error that ends a chain, with its problem document (RFC 9457): refused by
 * the server, or made here.
 *
 * @module
 */

import { TerminalError } from "@restatedev/restate-sdk/fetch";

/** A problem document. */
export type ProblemDocument = Readonly<Record<string, unknown>>;

/** A refused request of a step, or a refused input. */
export class ChainProblem extends TerminalError {
  /** Problem document, with the name of the step. */
  readonly problem: ProblemDocument;

  /** Creates the error of the step named `step`. */
  constructor(step: string, status: number, problem: ProblemDocument) {
    const detail = problem["detail"] ?? problem["title"] ?? status;
    super(`${step}: ${detail}`, { errorCode: status });
    this.name = "ChainProblem";
    this.problem = { ...problem, step };
  }
}
