/**
 * The errors of the Open Inference Protocol: text under `error`, beside the
 * members of a problem document.
 *
 * @module
 */

import type { Problem } from "../../http/errors/problem.ts";

/** Reports if a path belongs to this protocol. */
export function isKservePath(path: string): boolean {
  return path === "/v2" || path.startsWith("/v2/");
}

/** Returns `problem` with its message in the member that these clients read. */
export function kserveProblem(
  problem: Problem,
): Omit<Problem, "error"> & { readonly error: string } {
  return { ...problem, error: problem.detail };
}
