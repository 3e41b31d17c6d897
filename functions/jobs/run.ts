/**
 * The run: a job that is being executed, in memory.
 *
 * @module
 */

import type { InFlight } from "../shutdown/in_flight.ts";
import type { Job, JobRequest } from "./job.ts";

/** The reason for a run to stop early. */
export type Stop = "canceled" | "interrupted";

/** A run of a job. */
export interface Run {
  /** Caller for limits and fair scheduling. */
  readonly caller: string;
  /** Aborts to end it early. */
  readonly abort: AbortController;
  /** Reason to stop; undefined while it runs on. */
  stop: Stop | undefined;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** Called with a refusal, or undefined once the job is accepted. */
  readonly onAdmission: (refusal: Response | undefined) => void;
  /** Resolves when it is accepted or refused. */
  readonly admission: Promise<unknown>;
  /**
   * True while a refusal is the answer to the request, not the end of the job.
   */
  refusable: boolean;
  /** Request in flight; undefined until its function starts. */
  inFlight: InFlight | undefined;
}

/** Accepts the job: later refusals end it. */
export function accept(run: Run): void {
  run.refusable = false;
  run.onAdmission(undefined);
}

/** Returns the request of a job, as it was received. */
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
