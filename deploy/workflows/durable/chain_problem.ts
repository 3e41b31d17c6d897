/**
 * The error that ends a chain, with its problem document (RFC 9457): refused by
 * the server, or made here.
 *
 * The document travels with the error, so that a chain reads the problem of a
 * child.
 *
 * @module
 */

import { TerminalError } from "@restatedev/restate-sdk/fetch";

/** A problem document. */
export type ProblemDocument = Readonly<Record<string, unknown>>;

/** Name of the metadata of an error that holds its problem document. */
const PROBLEM = "problem";

/** A refused request of a step, or a refused input. */
export class ChainProblem extends TerminalError {
  /** Problem document, with the name of the step. */
  readonly problem: ProblemDocument;

  /** Creates the error of the step named `step`. */
  constructor(step: string, status: number, problem: ProblemDocument) {
    const detail = problem["detail"] ?? problem["title"] ?? status;
    const document = { ...problem, step };
    super(`${step}: ${detail}`, {
      errorCode: status,
      metadata: { [PROBLEM]: JSON.stringify(document) },
    });
    this.name = "ChainProblem";
    this.problem = document;
  }
}

/** Returns the problem document of an error that ended a chain or a child. */
export function problemOf(error: TerminalError): ProblemDocument {
  const document = error.metadata?.[PROBLEM];
  if (document !== undefined) return JSON.parse(document);
  return { status: error.code, detail: error.message };
}
