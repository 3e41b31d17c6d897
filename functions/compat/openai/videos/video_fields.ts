/**
 * The video: a job of `generate` in OpenAI's format.
 *
 * @module
 */

import type { Job, JobStatus } from "../../../jobs/job.ts";
import type { JobStore } from "../../../jobs/store/job_store.ts";
import type { AnswerOf } from "../../../schema/answers/answers.ts";
import type { VideoAnswer } from "../../../schema/answers/videos.ts";

/** The prefix of ids of videos. */
export const VIDEO_PREFIX = "video_";

/** OpenAI's names of job statuses. */
const STATUSES = {
  queued: "queued",
  running: "in_progress",
  succeeded: "completed",
  failed: "failed",
  canceled: "failed",
  interrupted: "failed",
} as const satisfies Readonly<Record<JobStatus, string>>;

/** The fields that `POST /v1/videos` states in every request of a job. */
interface StatedFields {
  readonly prompt: string;
  readonly model: string;
  readonly frames: number;
  readonly fps: number;
  readonly height: number;
  readonly width: number;
}

/** Returns true if a job is a video; predictions choose their own ids. */
export function isVideo({ id, prediction }: Job): boolean {
  return id.startsWith(VIDEO_PREFIX) && prediction === undefined;
}

/** Returns a job as a video. */
export function videoFields(
  job: Job,
  store: Pick<JobStore, "requestOf">,
): AnswerOf<typeof VideoAnswer> {
  const { body } = store.requestOf(job.id);
  // Written by `POST /v1/videos` alone.
  const stated: StatedFields = JSON.parse(new TextDecoder().decode(body));
  const { prompt, model, frames, fps, height, width } = stated;
  const ended = job.finishedAt !== undefined;
  return {
    id: job.id,
    object: "video",
    status: STATUSES[job.status],
    progress: progressOf(job),
    "created_at": seconds(job.createdAt),
    "completed_at": ended ? seconds(job.finishedAt!) : null,
    "expires_at": null,
    model,
    prompt,
    seconds: `${Math.round(1000 * frames / fps) / 1000}`,
    size: `${width}x${height}`,
    error: errorOf(job),
    "remixed_from_video_id": null,
  };
}

/** Returns the percentage of rows that are drawn. */
function progressOf({ status, progress: { done, total } }: Job): number {
  if (status === "succeeded") return 100;
  return total ? Math.floor(100 * done / total) : 0;
}

function errorOf({ id, status, error }: Job) {
  if (error !== undefined) {
    const { code, message } = error.error;
    return { code, message };
  }
  if (status === "canceled") {
    return { code: "canceled", message: "the video was canceled" };
  }
  if (status !== "interrupted") return null;
  return {
    code: "interrupted",
    message:
      `Cannot finish: the server was stopped; POST /v1/jobs/${id}/resume to continue`,
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
