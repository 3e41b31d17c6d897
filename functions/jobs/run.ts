/**
 * The run: a job while it is at work, in memory.
 *
 * @module
 */

import type { InFlight } from "../shutdown/in_flight.ts";
import type { Job, JobRequest } from "./job.ts";

/** The reason for a run to stop before it is done. */
export type Stop = "canceled" | "interrupted";

/** A job at work. */
export interface Run {
  /** The caller whose place and turns it takes. */
  readonly caller: string;
  /** Ends it early. */
  readonly abort: AbortController;
  /** Undefined while nothing stops it. */
  stop: Stop | undefined;
  /** Settles when it has ended, however. */
  readonly ended: Promise<void>;
  /** Given a refusal, or nothing once the job is accepted. */
  readonly settle: (refusal: Response | undefined) => void;
  /** Comes when it is known whether it is refused. */
  readonly settled: Promise<unknown>;
  /** True while a refusal is still an answer and not the end of a job. */
  refusable: boolean;
  /** Undefined until its function says so. */
  inFlight: InFlight | undefined;
}

/** From now on a refusal is the end of a job. */
export function accept(run: Run): void {
  run.refusable = false;
  run.settle(undefined);
}

/** The request of a job, as it came. */
export function requestFrom(
  { id }: Job,
  { path, headers, body }: JobRequest,
  signal: AbortSignal,
): Request {
  return new Request(new URL(path, "http://job.invalid"), {
    method: "POST",
    headers: { ...headers, "x-request-id": id },
    body,
    signal,
  });
}
