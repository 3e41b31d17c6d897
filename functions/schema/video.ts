/**
 * The fields of videos: the pictures that may be one, and the part that is read.
 *
 * @module
 */

import * as v from "valibot";
import { Picture } from "./common.ts";

/** The maximum frame rate at which a video is sampled. */
export const MAX_FPS = 120;

/** The latest moment of a video, in seconds. */
const MAX_SECONDS = 1_000_000;

/** The schema of a picture that may be a video. */
export const PictureOrVideo = v.pipe(
  Picture,
  v.description(
    "PNG, JPEG, WebP or GIF, as a data URL or in base64 or base64url; with ffmpeg on the server also an MP4, QuickTime, WebM or Matroska video.",
  ),
);

/** The schema of the rate at which frames of a video are taken. */
export const SamplingRate = v.pipe(
  v.number(),
  v.gtValue(0),
  v.maxValue(MAX_FPS),
  v.description(
    "Frames per second to take from a video, by default its own rate.",
  ),
);

/** The schema of the start of the part of a video. */
export const VideoStart = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(MAX_SECONDS),
  v.description("Start of the part of a video, in seconds."),
);

/** The schema of the end of the part of a video. */
export const VideoEnd = v.pipe(
  v.number(),
  v.gtValue(0),
  v.maxValue(MAX_SECONDS),
  v.description("End of the part of a video, in seconds."),
);

/** The part of a video that a body selects. */
export interface VideoPart {
  /** Frames per second to take. */
  readonly fps?: number | undefined;
  /** Start in seconds. */
  readonly start?: number | undefined;
  /** End in seconds. */
  readonly end?: number | undefined;
}
