/**
 * The answers about jobs, in the format of jobs or predictions: pages of
 * bounded size, and stored answers.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Context } from "hono";
import type { AppEnv } from "../http/context.ts";
import { type JsonPart, lengthOf, piecesOf } from "../http/json_parts.ts";
import { PIECE_BYTES } from "../http/connection/paced_body.ts";
import { UnknownJobError } from "../http/errors/errors.ts";
import { hold, pacedAnswer } from "../middleware/unsent.ts";
import { doesWork } from "../http/address/route_path.ts";
import type { Job, JobAnswer } from "./job.ts";
import type { JobPage, JobStore, PageOptions } from "./store/job_store.ts";

/** Jobs on a page at most. */
const MAX_LISTED = 100;

/** Bytes of a page at most, unless its first job has more. */
const MAX_PAGE_BYTES = 2 ** 20;

/**
 * Returns a page of the caller's jobs.
 *
 * @throws {UnknownJobError} If the job before the page is not the caller's or
 * was removed.
 */
export function jobPage(
  c: Context<AppEnv>,
  store: JobStore,
  { after, limit = MAX_LISTED, ...choice }:
    & Omit<PageOptions, "limit" | "maxBytes">
    & Partial<Pick<PageOptions, "limit">>,
): JobPage {
  const principal = c.get("principal");
  if (after !== undefined && store.find(after)?.principal !== principal) {
    throw new UnknownJobError();
  }
  return store.page(principal, {
    ...choice,
    limit: Math.min(limit, MAX_LISTED),
    maxBytes: MAX_PAGE_BYTES,
    after,
  });
}

/** Options of an answer about a job. */
interface JobResponseOptions {
  readonly status: 200 | 201 | 202;
  /** Returns the parts of the answer; undefined for a job without a result. */
  readonly parts: (answer: JobAnswer | undefined) => readonly JsonPart[];
}

/**
 * Answers with a job and its result.
 *
 * @throws {UnreadAnswersError} If the caller has too many unread bytes.
 */
export function jobResponse(
  c: Context<AppEnv>,
  store: JobStore,
  { id }: Job,
  { status, parts }: JobResponseOptions,
): Response {
  // Counted before it is read, and while the client reads it.
  const release = hold(c, store.answerBytes(id));
  try {
    return partsResponse(c, parts(store.answerOf(id)), { status, release });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Answers with JSON in parts: piece by piece if it is long.
 *
 * @param options `release`: called once the answer was read.
 */
export function partsResponse(
  c: Context<AppEnv>,
  content: readonly JsonPart[],
  { status, release }: {
    readonly status: JobResponseOptions["status"];
    readonly release: () => void;
  },
): Response {
  const { method, path } = c.req;
  const length = lengthOf(content);
  const headers = { "content-type": "application/json" };
  // Answers of work are complete here, since the first one may be stored.
  const whole = length <= PIECE_BYTES || doesWork(method, path);
  if (!whole && method !== "HEAD") {
    const body = pacedAnswer(c, piecesOf(content), release);
    const long = { ...headers, "content-length": `${length}` };
    return c.body(body, status, long);
  }
  const body = Buffer.concat(whole ? [...piecesOf(content)] : []);
  release();
  return c.body(body, status, headers);
}
