/**
 * The `/v1/videos` routes of OpenAI's clients: jobs that draw clips.
 *
 * ```text
 * create ─▶ queued ─▶ in_progress ─▶ completed ─▶ content
 * ```
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { AppEnv } from "../../../http/context.ts";
import { NotFoundError, UnknownJobError } from "../../../http/errors/errors.ts";
import { readUpload } from "../../../http/upload.ts";
import type { Job } from "../../../jobs/job.ts";
import { jobPage } from "../../../jobs/job_responses.ts";
import type { Jobs } from "../../../jobs/jobs.ts";
import { refusalOf } from "../../../jobs/preference.ts";
import { hold } from "../../../middleware/unsent.ts";
import type { ImageGenerators } from "../../../models/ports.ts";
import {
  contentDescription,
  createVideoDescription,
  removeVideoDescription,
  videoDescription,
  videosDescription,
} from "../../../openapi/description/videos.ts";
import { videoContent } from "./video_content.ts";
import { isVideo, VIDEO_PREFIX, videoFields } from "./video_fields.ts";
import { ContentQuery, fieldsOfQuery, ListQuery } from "./video_query.ts";
import {
  asVideo,
  namedAsVideo,
  VIDEO_FILES,
  VideoRequest,
  wantedVideo,
} from "./video_request.ts";

/** Returns the routes, ready to mount. */
export function videos(
  jobs: Jobs,
  generators: ImageGenerators,
): Hono<AppEnv> {
  const { store, runner } = jobs;
  return new Hono<AppEnv>()
    .post(
      "/v1/videos",
      createVideoDescription,
      (c) => create(c, jobs, generators),
    )
    .get("/v1/videos", videosDescription, (c) => {
      const { after, limit, order } = fieldsOfQuery(c.req.raw, ListQuery);
      const prefix = VIDEO_PREFIX;
      const page = jobPage(c, store, { after, limit, order, prefix });
      const data = page.jobs.filter(isVideo)
        .map((job) => videoFields(job, store));
      return c.json({
        object: "list",
        data,
        "first_id": data[0]?.id ?? null,
        "last_id": page.jobs.at(-1)?.id ?? null,
        "has_more": page.more,
      });
    })
    .get(
      "/v1/videos/:id",
      videoDescription,
      (c) => c.json(videoFields(videoOf(c, jobs), store)),
    )
    .delete("/v1/videos/:id", removeVideoDescription, async (c) => {
      const { id } = videoOf(c, jobs);
      await runner.cancel(id);
      store.remove(id);
      return c.json({ id, deleted: true, object: "video.deleted" });
    })
    .get("/v1/videos/:id/content", contentDescription, async (c) => {
      const { id, status } = videoOf(c, jobs);
      const { variant } = fieldsOfQuery(c.req.raw, ContentQuery);
      const release = hold(c, store.answerBytes(id));
      using held = new DisposableStack();
      held.defer(release);
      const answer = store.answerOf(id);
      if (answer === undefined) {
        throw new NotFoundError(
          `Cannot download video: it is ${status}; poll GET /v1/videos/${id} until it is completed`,
        );
      }
      const call = c.get("call");
      const file = await videoContent(answer, variant, generators, call);
      return c.body(file.bytes, 200, { "content-type": file.type });
    });
}

async function create(
  c: Context<AppEnv>,
  jobs: Jobs,
  generators: ImageGenerators,
): Promise<Response> {
  const upload = await readUpload(c.req.raw, VideoRequest, {
    maxBytes: generators.limits.maxBodyBytes,
    files: VIDEO_FILES,
    codes: false,
  });
  const call = c.get("call");
  const request = await asVideo(() => wantedVideo(generators, upload, call));
  const submitted = await jobs.runner.submit({
    id: `${VIDEO_PREFIX}${crypto.randomUUID().replaceAll("-", "")}`,
    request: {
      path: "/v1/generate",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
      },
      body: new TextEncoder().encode(JSON.stringify(request)),
    },
    principal: c.get("principal"),
    caller: c.get("caller"),
    webhook: undefined,
    prediction: undefined,
    link: (job) => c.get("link")?.(job),
  });
  if (submitted.type === "refused") {
    const { error, errors } = await submitted.answer.clone().json();
    if (error?.code === "invalid-fields") throw namedAsVideo(errors);
    return await refusalOf(c, submitted.answer);
  }
  return c.json(videoFields(submitted.job, jobs.store));
}

/** Returns the caller's video that the path names. */
function videoOf(c: Context<AppEnv>, { store }: Jobs): Job {
  const job = store.find(c.req.param("id")!);
  const mine = job?.principal === c.get("principal");
  if (job !== undefined && mine && isVideo(job)) return job;
  throw new UnknownJobError();
}
