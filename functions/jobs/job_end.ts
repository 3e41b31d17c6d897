/**
 * The ends of jobs.
 *
 * @module
 */

import { type Problem, problemFrom } from "../http/errors/problem.ts";
import { type Job, type JobAnswer, resultFields } from "./job.ts";
import type { JobEnd } from "./store/job_store.ts";
import type { WireEvent } from "../http/call.ts";

/** Returns the end of a canceled job. */
export function cancellation(finishedAt: number): JobEnd {
  return {
    status: "canceled",
    finishedAt,
    event: { event: "canceled", data: {} },
  };
}

/** Returns the end of a job that a stopping server interrupts. */
export function interruption(finishedAt: number): JobEnd {
  return {
    status: "interrupted",
    finishedAt,
    event: { event: "interrupted", data: {} },
  };
}

/** Returns the end of a job that failed by an unexpected error. */
export function failure(
  error: unknown,
  { id, path }: Pick<Job, "id" | "path">,
  { finishedAt, pageBase }: {
    readonly finishedAt: number;
    /** Base URL of problem pages, as for problems of requests. */
    readonly pageBase: string;
  },
): JobEnd {
  const problem = problemFrom(error, {
    requestId: id,
    path: path.split("?")[0]!,
    pageBase,
    clientGone: false,
  });
  return failed(problem, finishedAt);
}

/**
 * Returns the end of an answered job.
 *
 * @param completed Final event of the answer, if there was one.
 */
export async function answered(
  response: Response,
  completed: WireEvent | undefined,
  finishedAt: number,
): Promise<JobEnd> {
  if (!response.ok) {
    return failed(await response.json(), finishedAt);
  }
  const answer: JobAnswer = {
    headers: keptHeaders(response.headers),
    body: await response.bytes(),
  };
  const event = completed ??
    { event: "completed", data: resultFields(answer) };
  return { status: "succeeded", finishedAt, answer, event };
}

function failed(error: Problem, finishedAt: number): JobEnd {
  const event = { event: "error", data: error };
  return { status: "failed", finishedAt, error, event };
}

/** Headers that belong to the answer itself, not to its transport. */
const KEPT =
  /^(content-type|server-timing|location|preference-applied|x-seed|x-grid-.*|inference-header-content-length|mcp-session-id)$/;

/** Returns the `headers` that belong to the answer. */
export function keptHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => KEPT.test(name)));
}
