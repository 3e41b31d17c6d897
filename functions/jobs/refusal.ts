/**
 * The refusal of a job by a full queue, with the time of a retry.
 *
 * The queue reports when its next place is free, but not how many callers wait
 * for it: hundreds of them would return at once, and all but one be refused
 * again.
 *
 * @module
 */

import type { Problem } from "../http/errors/problem.ts";

/** Problem of a full queue. */
const OVERLOADED = /\/overloaded$/;

/**
 * Returns the refusal of a job; one by a full queue has a Retry-After of at
 * least `seconds`.
 *
 * @param seconds Called for a full queue only: each call is a place in turn.
 */
export async function jobRefusal(
  response: Response,
  seconds: () => number,
): Promise<Response> {
  if (response.status !== 503) return response;
  const problem: Problem = await response.json();
  const headers = new Headers(response.headers);
  if (OVERLOADED.test(problem.type)) {
    const told = Number(headers.get("retry-after"));
    headers.set("retry-after", `${Math.max(told, seconds())}`);
  }
  return new Response(JSON.stringify(problem), { status: 503, headers });
}
