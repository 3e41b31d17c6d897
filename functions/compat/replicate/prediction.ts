/**
 * The prediction: a job in Replicate's format.
 *
 * @module
 */

import {
  type FilePart,
  filesIn,
  hasList,
  type JsonPart,
  withMember,
} from "../../http/json_parts.ts";
import {
  isoTime,
  type Job,
  type JobAnswer,
  type JobStatus,
} from "../../jobs/job.ts";
import type { AnswerOf } from "../../schema/answers/answers.ts";
import type { PredictionAnswer } from "../../schema/answers/predictions.ts";

/** Replicate's names of job statuses. */
const STATUSES = {
  queued: "starting",
  running: "processing",
  succeeded: "succeeded",
  failed: "failed",
  canceled: "canceled",
  interrupted: "failed",
} as const satisfies Readonly<Record<JobStatus, string>>;

/** The number of steps of a progress bar. */
const BAR = 20;

/**
 * Returns the fields of a prediction.
 *
 * @param base Base of its URLs.
 */
export function predictionFields(
  job: Job,
  answer: JobAnswer | undefined,
  base: string,
): AnswerOf<typeof PredictionAnswer> {
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
        ? `Cannot finish: the server was stopped; POST /v1/jobs/${id}/resume to continue`
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

/**
 * Returns the JSON parts of a prediction, with its answer as it was stored: it
 * may be long, and is not parsed.
 *
 * @param base Base of its URLs.
 */
export function predictionParts(
  job: Job,
  answer: JobAnswer | undefined,
  base: string,
): JsonPart[] {
  const { output, ...fields } = predictionFields(job, undefined, base);
  const content = answer === undefined
    ? [JSON.stringify(output)]
    : outputParts(job, answer);
  return withMember(fields, "output", content);
}

function outputParts(job: Job, answer: JobAnswer): JsonPart[] {
  const { body } = answer;
  switch (job.path) {
    case "/v1/generate":
      return urlList(body);
    case "/v1/detokenize": {
      if (hasList(body, "frames")) return urlList(body);
      const [file] = filesIn(body);
      return file === undefined ? [body] : urlParts(file);
    }
    case "/v1/tokenize":
      return [body];
    default:
      return [JSON.stringify(outputOf(job, answer))];
  }
}

function urlList(body: JobAnswer["body"]): JsonPart[] {
  const urls = filesIn(body)
    .flatMap((file, i) => [i === 0 ? "" : ",", ...urlParts(file)]);
  return ["[", ...urls, "]"];
}

function urlParts({ base64, type }: FilePart): JsonPart[] {
  return [`"data:${type};base64,`, base64, '"'];
}

/**
 * Returns the output: pictures as data URLs, an answer as its text, codes as
 * they are.
 */
function outputOf({ path }: Job, { body }: JobAnswer): unknown {
  const result = JSON.parse(new TextDecoder().decode(body));
  switch (path) {
    case "/v1/generate":
      return [...result.images, ...result.clips ?? []].map(dataUrl);
    case "/v1/caption":
      return result.text;
    case "/v1/detokenize":
      if (result.frames !== undefined) return result.frames.map(dataUrl);
      return result.b64_json === undefined ? result : dataUrl(result);
    default:
      return result;
  }
}

/** A file in an answer. */
interface FileFields {
  readonly "b64_json": string;
  readonly "mime_type": string;
}

/** Returns the data URL of a file. */
export function dataUrl(
  { b64_json: base64, mime_type: type }: FileFields,
): string {
  return `data:${type};base64,${base64}`;
}

/** Returns progress in the log format that Replicate's clients parse. */
function bar({ progress: { done, total } }: Job): string {
  if (total === undefined || total === 0) return "";
  const share = done / total;
  const filled = "█".repeat(Math.round(BAR * share)).padEnd(BAR);
  return `${Math.round(100 * share)}%|${filled}| ${done}/${total}`;
}
