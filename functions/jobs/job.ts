/**
 * The jobs: requests that outlive their connection.
 *
 * ```text
 * queued ─▶ running ─▶ succeeded, failed, canceled
 *              │
 *              └▶ interrupted ─▶ queued …       the server stopped; resumed
 * ```
 *
 * @module
 */

import { PER_CODE_HEADER } from "../http/raw_codes.ts";
import { type JsonPart, withMember } from "../http/json_parts.ts";
import type { Problem } from "../http/errors/problem.ts";
import type { JobFields } from "../schema/answers/jobs.ts";

/** The request of a job that is a prediction. */
export interface PredictionOrigin {
  /** Requested model. */
  readonly model: string;
  /** Requested version. */
  readonly version: string;
  /** Input of the request without long values. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** The status of a job. */
export type JobStatus =
  | "queued"
  | "running"
  | "succeeded"
  | "failed"
  | "canceled"
  | "interrupted";

/** The request of a job as bytes, to be sent again after an interruption. */
export interface JobRequest {
  /** Path and query of the request. */
  readonly path: string;
  /** Headers that describe the body and the requested answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as received. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The answer of a job. */
export interface JobAnswer {
  /** Headers such as media type and sizes. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body as sent. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The progress of a job. */
export interface JobProgress {
  /** Rows drawn, or parts of an answer generated. */
  readonly done: number;
  /** Rows in all; undefined if unknown. */
  readonly total: number | undefined;
}

/** The receiver of a job's notifications, and their choice. */
export interface JobWebhook {
  /** URL of the receiver. */
  readonly url: string;
  /** Statuses that are notified. */
  readonly events: readonly JobStatus[];
}

/** A job. Times are milliseconds since 1970. */
export interface Job {
  /** Unique id. */
  readonly id: string;
  /** Principal that owns the job. */
  readonly principal: string;
  /** Status of the job. */
  readonly status: JobStatus;
  /** Time of its submission. */
  readonly createdAt: number;
  /** Time of its first run. */
  readonly startedAt: number | undefined;
  /** Time of its end. */
  readonly finishedAt: number | undefined;
  /** Seed of draws without a requested seed. */
  readonly seed: number;
  /** Path of its request. */
  readonly path: string;
  /** Progress of the job. */
  readonly progress: JobProgress;
  /** Problem of a failed job. */
  readonly error: Problem | undefined;
  /** Receiver of notifications. */
  readonly webhook: JobWebhook | undefined;
  /** Origin of the job, if it is a prediction. */
  readonly prediction: PredictionOrigin | undefined;
}

/** The final statuses. */
export const ENDED: ReadonlySet<JobStatus> = new Set([
  "succeeded",
  "failed",
  "canceled",
  "interrupted",
]);

/** Returns true if the job has a final status. */
export function hasEnded({ status }: Pick<Job, "status">): boolean {
  return ENDED.has(status);
}

/** Returns true if the job can be resumed from its last state. */
export function isResumable(
  { status, error }: {
    readonly status: JobStatus;
    readonly error?: Problem | undefined;
  },
): boolean {
  return status === "interrupted" ||
    (status === "failed" && error?.retryable === true);
}

/** Returns the JSON fields of a job, without its result. */
export function jobFields(job: Job): JobFields {
  const { progress, error } = job;
  return {
    id: job.id,
    object: "job",
    status: job.status,
    path: job.path.split("?")[0]!,
    "created_at": isoTime(job.createdAt),
    "started_at": isoTime(job.startedAt),
    "finished_at": isoTime(job.finishedAt),
    progress: { done: progress.done, total: progress.total ?? null },
    resumable: isResumable(job),
    ...(error && { error }),
  };
}

/** Returns the JSON fields of an answer: its own, or base64 of other types. */
export function resultFields({ headers, body }: JobAnswer): unknown {
  const type = typeOf(headers);
  if (isJsonType(type)) return JSON.parse(new TextDecoder().decode(body));
  return /^text\//.test(type)
    ? { "mime_type": type, text: new TextDecoder().decode(body) }
    : { ...fileFields(headers), "b64_json": body.toBase64() };
}

/** Returns the JSON fields of a file without its bytes. */
function fileFields(headers: JobAnswer["headers"]): Record<string, unknown> {
  const sizes = [
    "x-seed",
    "x-grid-frames",
    PER_CODE_HEADER,
    "x-grid-height",
    "x-grid-width",
  ]
    .filter((name) => name in headers)
    .map((name) => [name.slice(2).replaceAll("-", "_"), Number(headers[name])]);
  return { "mime_type": typeOf(headers), ...Object.fromEntries(sizes) };
}

function typeOf(headers: JobAnswer["headers"]): string {
  return headers["content-type"] ?? "application/octet-stream";
}

function isJsonType(type: string): boolean {
  return /^application\/json\b/.test(type);
}

/** Returns the JSON parts of a job and its answer, which is not parsed. */
export function jobParts(job: Job, answer: JobAnswer | undefined): JsonPart[] {
  const fields = jobFields(job);
  return answer === undefined
    ? [JSON.stringify(fields)]
    : withMember(fields, "result", resultParts(answer));
}

/** Returns the JSON parts that {@linkcode resultFields} has as fields. */
function resultParts(answer: JobAnswer): JsonPart[] {
  const { headers, body } = answer;
  const type = typeOf(headers);
  if (isJsonType(type)) return [body];
  if (/^text\//.test(type)) return [JSON.stringify(resultFields(answer))];
  const base64 = ['"', { base64: body }, '"'];
  return withMember(fileFields(headers), "b64_json", base64);
}

/** Formats a time for JSON; null for none. */
export function isoTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined
    ? null
    : new Date(milliseconds).toISOString();
}
