/**
 * The descriptions of `/v1/videos`.
 *
 * @module
 */

import * as v from "valibot";
import {
  VIDEO_FILES,
  VideoRequest,
} from "../../compat/openai/videos/video_request.ts";
import {
  ContentQuery,
  ListQuery,
} from "../../compat/openai/videos/video_query.ts";
import {
  RemovedVideoAnswer,
  VideoAnswer,
  VideosAnswer,
} from "../../schema/answers/videos.ts";
import {
  BODY_PROBLEMS,
  bytes,
  describe,
  json,
  MODEL_PROBLEMS,
  POST_PROBLEMS,
  type RouteDescription,
} from "./describe.ts";
import { form, queryFields } from "./fields.ts";
import { IDEMPOTENCY_KEY } from "./jobs.ts";

const { "input_reference": _, ...entries } = VideoRequest.entries;

const ID: NonNullable<RouteDescription["parameters"]>[number] = {
  in: "path",
  name: "id",
  required: true,
  description: "Id of the video.",
  schema: { type: "string" },
};

/** The problems of models that are opened on use: unlike functions, these routes ignore `Accept`. */
const PROBLEMS = MODEL_PROBLEMS.filter((code) => code !== "not-acceptable");

/** The description of `POST /v1/videos`. */
export const createVideoDescription = describe({
  id: "createVideo",
  tag: "openai",
  summary: "Generate a video from a prompt, as a job",
  text:
    "Generates a clip with a model that has the capability clips; others answer 422. seconds times the frame rate are the frames; only the aspect ratio of size is used. Unknown fields are ignored. The video is also a job of /v1/jobs, with events.",
  parameters: [IDEMPOTENCY_KEY],
  body: {
    ...json(v.pipe(VideoRequest, v.metadata({ ref: "VideoRequest" }))),
    ...form(VideoRequest.entries, Object.keys(entries), {
      files: {},
      optional: VIDEO_FILES,
    }),
  },
  answers: { 200: { description: "The video", content: json(VideoAnswer) } },
  problems: [
    ...BODY_PROBLEMS,
    ...PROBLEMS,
    ...POST_PROBLEMS,
    "unknown-adapter",
    "image-too-large",
    "unreadable-image",
    "image-size",
    "prompt-too-long",
    "cache-too-small",
  ],
});

/** The description of `GET /v1/videos`. */
export const videosDescription = describe({
  id: "listVideos",
  tag: "openai",
  summary: "List the caller's videos",
  parameters: queryFields(ListQuery.entries, Object.keys(ListQuery.entries)),
  answers: { 200: { description: "Videos", content: json(VideosAnswer) } },
  problems: ["unknown-job", "invalid-fields"],
});

/** The description of `GET /v1/videos/{id}`. */
export const videoDescription = describe({
  id: "getVideo",
  tag: "openai",
  summary: "Get the status of a video",
  parameters: [ID],
  answers: { 200: { description: "The video", content: json(VideoAnswer) } },
  problems: ["unknown-job"],
});

/** The description of `DELETE /v1/videos/{id}`. */
export const removeVideoDescription = describe({
  id: "removeVideo",
  tag: "openai",
  summary: "Remove a video; one that is generated is canceled",
  parameters: [ID],
  answers: {
    200: { description: "The removal", content: json(RemovedVideoAnswer) },
  },
  problems: ["unknown-job"],
});

/** The description of `GET /v1/videos/{id}/content`. */
export const contentDescription = describe({
  id: "getVideoContent",
  tag: "openai",
  summary: "Download a video, its first frame, or all frames as one image",
  text:
    "The file is an MP4 if ffmpeg is installed, and an APNG otherwise; Content-Type says which.",
  parameters: [
    ID,
    ...queryFields(ContentQuery.entries, Object.keys(ContentQuery.entries)),
  ],
  answers: {
    200: {
      description: "The content",
      content: bytes("video/mp4", "image/apng", "image/png"),
    },
  },
  problems: [
    "unknown-job",
    "not-found",
    "invalid-fields",
    "unread-answers",
    ...PROBLEMS,
  ],
});
