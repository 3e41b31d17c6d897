/**
 * Jobs: requests that outlive the connection they came by.
 *
 * ```text
 * queued ─▶ running ─▶ succeeded, failed, canceled
 *              │
 *              └▶ interrupted ─▶ queued …       the server stopped; resumed
 * ```
 *
 * @module
 */

import { type JsonPart, withMember } from "../http/json_parts.ts";
import type { Problem } from "../http/errors/problem.ts";
import type { PredictionOrigin } from "../compat/replicate/prediction.ts";

/** Where a job stands. */
export type JobStatus =
  | "queued"
  | "running"
  | "succeeded"
  | "failed"
  | "canceled"
  | "interrupted";

/** What is asked, as bytes: it is asked again where a server left off. */
export interface JobRequest {
  /** Path and query. */
  readonly path: string;
  /** Those that say what the body is and what is wanted. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What came of it. */
export interface JobAnswer {
  /** Media type, sizes. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it is sent. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** How far a job is. */
export interface Progress {
  /** Rows drawn, or parts of an answer said. */
  readonly done: number;
  /** Rows in all; undefined where nobody knows. */
  readonly total: number | undefined;
}

/** Where to tell of a job, and of what. */
export interface Webhook {
  /** Where. */
  readonly url: string;
  /** Statuses that are told. */
  readonly events: readonly JobStatus[];
}

/** A job. Times are milliseconds since 1970. */
export interface Job {
  /** Unique. */
  readonly id: string;
  /** Whose. */
  readonly principal: string;
  /** Where it stands. */
  readonly status: JobStatus;
  /** When it came. */
  readonly createdAt: number;
  /** When it first ran. */
  readonly startedAt: number | undefined;
  /** When it ended. */
  readonly finishedAt: number | undefined;
  /** For draws whose seed nobody asked for. */
  readonly seed: number;
  /** Path that it was sent to. */
  readonly path: string;
  /** How far it is. */
  readonly progress: Progress;
  /** Once it has failed. */
  readonly error: Problem | undefined;
  /** Whom to tell. */
  readonly webhook: Webhook | undefined;
  /** How it came about, where it is a prediction. */
  readonly prediction: PredictionOrigin | undefined;
}

/** Statuses after which nothing more happens by itself. */
export const ENDED: ReadonlySet<JobStatus> = new Set([
  "succeeded",
  "failed",
  "canceled",
  "interrupted",
]);

/** Whether nothing more happens by itself. */
export function hasEnded({ status }: Pick<Job, "status">): boolean {
  return ENDED.has(status);
}

/** Whether it can go on from where it stopped. */
export function isResumable(
  { status, error }: {
    readonly status: JobStatus;
    readonly error?: Problem | undefined;
  },
): boolean {
  return status === "interrupted" ||
    (status === "failed" && error?.retryable === true);
}

/** A job as it stands in JSON; its result is added by whoever has it. */
export function jobFields(job: Job): Record<string, unknown> {
  const { progress, error } = job;
  return {
    id: job.id,
    object: "job",
    status: job.status,
    path: job.path.split("?")[0],
    "created_at": isoTime(job.createdAt),
    "started_at": isoTime(job.startedAt),
    "finished_at": isoTime(job.finishedAt),
    progress: { done: progress.done, total: progress.total ?? null },
    resumable: isResumable(job),
    ...(error && { error }),
  };
}

/** What came of a job, in JSON: as it is, or in base64 where it is no JSON. */
export function resultFields({ headers, body }: JobAnswer): unknown {
  const type = typeOf(headers);
  if (isJsonType(type)) return JSON.parse(new TextDecoder().decode(body));
  return /^text\//.test(type)
    ? { "mime_type": type, text: new TextDecoder().decode(body) }
    : { ...fileFields(headers), "b64_json": body.toBase64() };
}

/** A file without its bytes. */
function fileFields(headers: JobAnswer["headers"]): Record<string, unknown> {
  const sizes = ["x-seed", "x-grid-frames", "x-grid-height", "x-grid-width"]
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

/** A job and what came of it, as it is sent: an answer is not parsed. */
export function jobParts(job: Job, answer: JobAnswer | undefined): JsonPart[] {
  const fields = jobFields(job);
  return answer === undefined
    ? [JSON.stringify(fields)]
    : withMember(fields, "result", resultParts(answer));
}

/** The same as {@linkcode resultFields}. */
function resultParts(answer: JobAnswer): JsonPart[] {
  const { headers, body } = answer;
  const type = typeOf(headers);
  if (isJsonType(type)) return [body];
  if (/^text\//.test(type)) return [JSON.stringify(resultFields(answer))];
  const base64 = ['"', { base64: body }, '"'];
  return withMember(fileFields(headers), "b64_json", base64);
}

/** As JSON has times; null for none. */
export function isoTime(milliseconds: number | undefined): string | null {
  return milliseconds === undefined
    ? null
    : new Date(milliseconds).toISOString();
}
