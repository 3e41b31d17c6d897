/**
 * The answers about videos in OpenAI's format.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";

/** The schema of a video. */
export const VideoAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    object: v.literal("video"),
    status: v.picklist(["queued", "in_progress", "completed", "failed"]),
    progress: v.pipe(Count, v.description("Generated rows, in percent.")),
    "created_at": Count,
    "completed_at": v.nullable(Count),
    "expires_at": v.null(),
    model: v.string(),
    prompt: v.string(),
    seconds: v.pipe(v.string(), v.description("Duration in seconds.")),
    size: v.pipe(v.string(), v.description("Width and height in pixels.")),
    error: v.nullable(
      v.strictObject({ code: v.string(), message: v.string() }),
    ),
    "remixed_from_video_id": v.null(),
  }),
  v.metadata({ ref: "Video" }),
);

/** The schema of a page of videos. */
export const VideosAnswer = v.pipe(
  v.strictObject({
    object: v.literal("list"),
    data: v.array(VideoAnswer),
    "first_id": v.nullable(v.string()),
    "last_id": v.nullable(v.string()),
    "has_more": v.boolean(),
  }),
  v.metadata({ ref: "Videos" }),
);

/** The schema of a removed video. */
export const RemovedVideoAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    deleted: v.literal(true),
    object: v.literal("video.deleted"),
  }),
  v.metadata({ ref: "RemovedVideo" }),
);
