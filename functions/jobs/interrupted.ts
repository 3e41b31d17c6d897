/**
 * The interrupted requests: requests other than jobs, stored as interrupted
 * jobs.
 *
 * @module
 */

import type { ResumeState } from "../../lib/drawing/resume_state.ts";
import { interruption } from "./job_end.ts";
import type { JobStore, NewJob } from "./store/job_store.ts";
import { Recorder } from "./recorder.ts";

/** A request that was interrupted. */
export interface InterruptedRequest
  extends Pick<NewJob, "request" | "principal" | "seed"> {
  /** Resume states of the request, by picture. */
  readonly resumeStates: readonly (ResumeState | undefined)[];
}

/**
 * Stores an interrupted request as a job, atomically.
 *
 * @returns The id of the job.
 */
export function keepInterrupted(
  store: JobStore,
  { resumeStates, ...order }: InterruptedRequest,
  now: number,
): string {
  const id = `job-${crypto.randomUUID()}`;
  store.transact(() => {
    store.insert({
      ...order,
      id,
      createdAt: now,
      webhook: undefined,
      prediction: undefined,
    });
    const recorder = new Recorder(store, id, () => now, () => {});
    for (const [image, resumeState] of resumeStates.entries()) {
      recorder.keep(image, resumeState);
    }
    store.end(id, interruption(now));
  });
  return id;
}
