/**
 * The answers about jobs.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";
import { ProblemAnswer } from "./server.ts";

const Time = v.nullable(v.pipe(v.string(), v.description("ISO 8601.")));

const JOB_ENTRIES = {
  id: v.string(),
  object: v.literal("job"),
  status: v.picklist([
    "queued",
    "running",
    "succeeded",
    "failed",
    "canceled",
    "interrupted",
  ]),
  path: v.pipe(v.string(), v.description("What it was sent to.")),
  "created_at": Time,
  "started_at": Time,
  "finished_at": Time,
  progress: v.pipe(
    v.strictObject({ done: Count, total: v.nullable(Count) }),
    v.description("Rows drawn, or parts of an answer said; of how many."),
  ),
  resumable: v.boolean(),
  error: v.optional(ProblemAnswer),
};

/** The schema of a job's status. */
export const JobAnswer = v.pipe(
  v.strictObject(JOB_ENTRIES),
  v.metadata({ ref: "Job" }),
);

/** The schema of a job's status and answer. */
export const WholeJobAnswer = v.pipe(
  v.strictObject({
    ...JOB_ENTRIES,
    result: v.optional(
      v.pipe(
        v.record(v.string(), v.unknown()),
        v.description(
          "The function's answer: its JSON, or a file with b64_json and mime_type.",
        ),
      ),
    ),
  }),
  v.metadata({ ref: "WholeJob" }),
);

/** The schema of a list of jobs, the newest first. */
export const JobsAnswer = v.pipe(
  v.strictObject({
    object: v.literal("list"),
    data: v.array(JobAnswer),
    "has_more": v.pipe(
      v.boolean(),
      v.description("Whether there are older ones: after the last id."),
    ),
  }),
  v.metadata({ ref: "Jobs" }),
);
