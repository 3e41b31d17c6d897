/**
 * The `Prefer: respond-async` middleware: any request to a function, as a job.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AppEnv } from "../http/context.ts";
import { type Job, jobFields } from "./job.ts";
import type { Jobs } from "./jobs.ts";
import { asyncPreference } from "./prefer.ts";
import { submissionFrom } from "./submission.ts";

/** Returns the middleware that turns requests into jobs on preference. */
export function preference(
  jobs: Jobs,
  maxBytes: number,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const preferred = asyncPreference(c.req.header("prefer"));
    if (c.req.method !== "POST" || preferred === undefined) return await next();
    const { request, webhook } = await submissionFrom(c.req.raw, maxBytes);
    if (webhook !== undefined) jobs.checkWebhook(webhook.url, "/webhook/url");
    const submitted = await jobs.runner.submit({
      request,
      principal: c.get("principal"),
      caller: c.get("caller"),
      webhook,
      prediction: undefined,
      link: (job) => c.get("link")?.(job),
    });
    if (submitted.type === "refused") {
      return await refusalOf(c, submitted.answer);
    }
    const { job } = submitted;
    c.header("preference-applied", preferred.applied);
    if (preferred.waitSeconds === 0) return accepted(c, job);
    await waitFor(c, jobs, job, preferred.waitSeconds);
    return outcome(c, jobs, jobs.store.find(job.id) ?? job);
  };
}

/** Answers with the result of a job, or with its location. */
function outcome(c: Context<AppEnv>, jobs: Jobs, job: Job): Response {
  if (job.status === "succeeded") {
    const { headers, body } = jobs.store.answerOf(job.id)!;
    return c.body(body, 200, headers);
  }
  if (job.status === "failed" && job.error !== undefined) {
    // Stored problems come from `problemFrom` alone.
    const status = job.error.status as ContentfulStatusCode;
    return c.json(job.error, status, {
      "content-type": "application/problem+json",
    });
  }
  return accepted(c, job);
}

/** Answers that a job was accepted, with its location. */
export function accepted(c: Context<AppEnv>, job: Job): Response {
  return c.json(jobFields(job), 202, { location: `/v1/jobs/${job.id}` });
}

/**
 * Resolves when the job has ended, the client disconnects or the time is over.
 */
export async function waitFor(
  c: Context<AppEnv>,
  { runner, delay }: Jobs,
  { id }: Job,
  seconds: number,
): Promise<void> {
  const settled = new AbortController();
  const signal = AbortSignal.any([c.get("call").signal, settled.signal]);
  await Promise.race([
    runner.settled(id, signal),
    delay(1000 * seconds, signal),
  ]);
  // Removes the listener of the slower one.
  settled.abort();
}

/** Returns a job's refusal as one of the caller's request. */
export async function refusalOf(
  c: Context<AppEnv>,
  answer: Response,
): Promise<Response> {
  const problem = await answer.json();
  const id = c.get("requestId");
  const body = JSON.stringify({ ...problem, "request_id": id });
  // `problemFrom` made the status.
  const status = answer.status as ContentfulStatusCode;
  const headers = Object.fromEntries(answer.headers);
  return c.body(body, status, { ...headers, "x-request-id": id });
}
