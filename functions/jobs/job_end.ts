/**
 * How jobs end.
 *
 * @module
 */

import type { Problem } from "../problem.ts";
import type { WireEvent } from "../events.ts";
import { type JobAnswer, resultFields } from "./job.ts";
import type { JobEnd } from "./job_store.ts";

/** Somebody wanted it to. */
export function cancellation(finishedAt: number): JobEnd {
  return {
    status: "canceled",
    finishedAt,
    event: { event: "canceled", data: {} },
  };
}

/** The server stopped. */
export function interruption(finishedAt: number): JobEnd {
  return {
    status: "interrupted",
    finishedAt,
    event: { event: "interrupted", data: {} },
  };
}

/**
 * It was answered.
 *
 * @param completed How the answer was told, if it was.
 */
export async function answered(
  response: Response,
  completed: WireEvent | undefined,
  finishedAt: number,
): Promise<JobEnd> {
  if (!response.ok) {
    const error: Problem = await response.json();
    const event = { event: "error", data: error };
    return { status: "failed", finishedAt, error, event };
  }
  const answer: JobAnswer = {
    headers: keptHeaders(response.headers),
    body: await response.bytes(),
  };
  const event = completed ??
    { event: "completed", data: resultFields(answer) };
  return { status: "succeeded", finishedAt, answer, event };
}

/** Headers that belong to the answer and not to the way it came. */
const KEPT =
  /^(content-type|server-timing|etag|location|preference-applied|x-seed|x-grid-.*)$/;

/** Those of `headers` that belong to the answer. */
export function keptHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => KEPT.test(name)));
}
