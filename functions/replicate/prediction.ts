/**
 * A job as a prediction, in Replicate's words.
 *
 * @module
 */

import {
  isoTime,
  type Job,
  type JobAnswer,
  type JobStatus,
} from "../jobs/job.ts";

/** What Replicate calls where a job stands. */
const STATUSES: Readonly<Record<JobStatus, string>> = {
  queued: "starting",
  running: "processing",
  succeeded: "succeeded",
  failed: "failed",
  canceled: "canceled",
  interrupted: "failed",
};

/** How a job came about, where it is a prediction. */
export interface PredictionOrigin {
  /** As it was asked for. */
  readonly model: string;
  /** As it was asked for. */
  readonly version: string;
  /** As it was sent, but for what is long. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** Text of an input that is longer is not told back with each look at it. */
const MAX_ECHO = 8192;

/** Steps that a bar of progress has. */
const BAR = 20;

/** An input as it is told back. */
export function echoOf(
  input: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) =>
      JSON.stringify(value ?? null).length <= MAX_ECHO
    ),
  );
}

/**
 * A prediction.
 *
 * @param base Of its URLs.
 */
export function predictionFields(
  job: Job,
  answer: JobAnswer | undefined,
  base: string,
): Record<string, unknown> {
  const { id, status, createdAt, startedAt, finishedAt, error } = job;
  const { model = "", version = "", input = {} } = job.prediction ?? {};
  const url = `${base}/v1/predictions/${id}`;
  const ran = startedAt !== undefined && finishedAt !== undefined;
  return {
    id,
    model,
    version,
    input,
    output: answer === undefined ? null : outputOf(job, answer),
    logs: bar(job),
    error: error?.detail ??
      (status === "interrupted"
        ? `Cannot finish: the server stopped, POST /v1/jobs/${id}/resume goes on`
        : null),
    status: STATUSES[status],
    "created_at": isoTime(createdAt),
    "started_at": isoTime(startedAt),
    "completed_at": isoTime(finishedAt),
    "data_removed": false,
    metrics: ran ? { "predict_time": (finishedAt - startedAt) / 1000 } : {},
    urls: { get: url, cancel: `${url}/cancel`, stream: `${url}/stream` },
  };
}

/** Pictures as data URLs, an answer as its text, codes as they are. */
function outputOf({ path }: Job, { body }: JobAnswer): unknown {
  const result = JSON.parse(new TextDecoder().decode(body));
  switch (path) {
    case "/v1/generate":
      return result.images.map(dataUrl);
    case "/v1/caption":
      return result.text;
    case "/v1/detokenize":
      if (result.frames !== undefined) return result.frames.map(dataUrl);
      return result.b64_json === undefined ? result : dataUrl(result);
    default:
      return result;
  }
}

/** A file, as it stands in an answer. */
interface FileFields {
  readonly "b64_json": string;
  readonly "mime_type": string;
}

/** A file as a URL that needs no server. */
export function dataUrl(
  { b64_json: base64, mime_type: type }: FileFields,
): string {
  return `data:${type};base64,${base64}`;
}

/** Progress as their clients read it from logs. */
function bar({ progress: { done, total } }: Job): string {
  if (total === undefined || total === 0) return "";
  const share = done / total;
  const filled = "█".repeat(Math.round(BAR * share)).padEnd(BAR);
  return `${Math.round(100 * share)}%|${filled}| ${done}/${total}`;
}
