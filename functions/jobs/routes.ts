/**
 * The `/v1/jobs` routes: status, events and end of jobs.
 *
 * A job is visible to its caller only: others get 404.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { AppEnv } from "../http/context.ts";
import {
  cancelDescription,
  jobDescription,
  jobEventsDescription,
  jobsDescription,
  resumeDescription,
} from "../openapi/description/jobs.ts";
import { storedEvents } from "../http/sse.ts";
import { invalidField, UnknownJobError } from "../http/errors/errors.ts";
import { type Job, jobFields, jobParts } from "./job.ts";
import type { Jobs } from "./jobs.ts";
import { jobPage, jobResponse } from "./job_responses.ts";
import { accepted } from "./preference.ts";

/** Returns the routes, ready to mount. */
export function jobRoutes(jobs: Jobs): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/jobs", jobsDescription, (c) => {
      const after = c.req.query("after");
      const { jobs: page, more } = jobPage(c, jobs.store, { after });
      const data = page.map(jobFields);
      return c.json({ object: "list", data, "has_more": more });
    })
    .get(
      "/v1/jobs/:id",
      jobDescription,
      (c) => {
        const job = jobOf(c, jobs);
        return jobResponse(c, jobs.store, job, {
          status: 200,
          parts: (answer) => jobParts(job, answer),
        });
      },
    )
    .get("/v1/jobs/:id/events", jobEventsDescription, (c) => {
      const { id } = jobOf(c, jobs);
      const last = lastEventId(c);
      const leave = jobs.runner.readers.enter(c.get("caller"), id);
      const events = jobs.runner.events(id, last, c.get("call").signal);
      return storedEvents(c, events, leave);
    })
    .delete("/v1/jobs/:id", cancelDescription, async (c) => {
      const { id } = jobOf(c, jobs);
      await jobs.runner.cancel(id);
      return c.json(jobFields(jobOf(c, jobs)));
    })
    .post("/v1/jobs/:id/resume", resumeDescription, (c) => {
      const job = jobs.runner.resume(jobOf(c, jobs), c.get("caller"));
      return accepted(c, job);
    });
}

/** Returns the caller's job that the path names. */
function jobOf(c: Context<AppEnv>, { store }: Jobs): Job {
  const job = store.find(c.req.param("id")!);
  if (job !== undefined && job.principal === c.get("principal")) return job;
  throw new UnknownJobError();
}

/** Returns the id of the reader's last event; 0 for none. */
function lastEventId(c: Context<AppEnv>): number {
  const header = c.req.header("last-event-id") ?? "";
  if (header === "") return 0;
  const id = Number(header);
  if (/^\d+$/.test(header) && Number.isSafeInteger(id)) return id;
  throw invalidField("", "expected the id of an earlier event");
}
