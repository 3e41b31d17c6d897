/**
 * Errors as clients of the Open Inference Protocol know them: text under
 * `error`, with the members of a problem document beside.
 *
 * @module
 */

import type { Problem } from "../../http/errors/problem.ts";

/** Whether a request speaks this protocol. */
export function isKservePath(path: string): boolean {
  return path === "/v2" || path.startsWith("/v2/");
}

/** `problem` with its message where these clients look for it. */
export function kserveProblem(
  problem: Problem,
): Omit<Problem, "error"> & { readonly error: string } {
  return { ...problem, error: problem.detail };
}
