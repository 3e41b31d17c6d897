/**
 * The answers about jobs.
 *
 * @module
 */

import * as v from "valibot";
import { type AnswerOf, Count } from "./answers.ts";
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
  path: v.pipe(v.string(), v.description("Path of the request.")),
  "created_at": Time,
  "started_at": Time,
  "finished_at": Time,
  progress: v.pipe(
    v.strictObject({ done: Count, total: v.nullable(Count) }),
    v.description("Generated rows or parts of an answer, and their total."),
  ),
  resumable: v.boolean(),
  error: v.optional(ProblemAnswer),
};

/** The schema of a job's status. */
export const JobAnswer = v.pipe(
  v.strictObject(JOB_ENTRIES),
  v.metadata({ ref: "Job" }),
);
/** The fields of a job without its result. */
export type JobFields = AnswerOf<typeof JobAnswer>;

/** The schema of a job's status and answer. */
export const WholeJobAnswer = v.pipe(
  v.strictObject({
    ...JOB_ENTRIES,
    result: v.optional(
      v.pipe(
        v.record(v.string(), v.unknown()),
        v.description(
          "Response of the function: its JSON, or a file with b64_json and mime_type.",
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
      v.description(
        "True if older jobs follow; request them with the last id as after.",
      ),
    ),
  }),
  v.metadata({ ref: "Jobs" }),
);
