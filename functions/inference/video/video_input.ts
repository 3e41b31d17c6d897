/**
 * The input of a video: its file is opened, and the part that a request selects
 * is checked by its header.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../../../lib/errors.ts";
import type { RgbImage } from "../../../lib/image/image.ts";
import { videoContainer } from "../../../lib/image/video/container.ts";
import type { FrameRange, Video } from "../../../lib/image/video/reader.ts";
import type { VideoHeader } from "../../../lib/image/video/probe.ts";
import { maxVideoPixels, PROBE_BYTES } from "../../../lib/image/pixel_cost.ts";
import type { Limits, Tools } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { MAX_FPS, type VideoPart } from "../../schema/video.ts";
import { frameLimit } from "../frame_limit.ts";
import { acquirePixels, type PictureCall } from "../pixel_budget.ts";

/** Returns true if the file is a video, by its first bytes. */
export function isVideo(bytes: Uint8Array): boolean {
  return videoContainer(bytes) !== undefined;
}

/**
 * Opens the video in `bytes`.
 *
 * @throws {ImageError} If it is damaged, or the server has no ffmpeg.
 * @throws {ImageTooLargeError} If its frames are too large.
 */
export async function openVideo(
  tools: Tools,
  bytes: Uint8Array,
  { decode, call }: {
    readonly decode: "display" | "reference";
    readonly call: PictureCall;
  },
): Promise<Video> {
  const { readVideo, limits: { maxPixels } } = tools;
  if (readVideo === undefined) throw new ImageError(NO_FFMPEG);
  // Bounds the programs that describe files at the same time.
  using _share = await acquirePixels(tools, PROBE_BYTES, call);
  const { signal } = call;
  return await readVideo(bytes, {
    upright: decode === "display",
    maxPixels: maxVideoPixels(maxPixels),
    signal,
  });
}

const NO_FFMPEG =
  "it is a video, and this server has no ffmpeg to read it with: install ffmpeg there, or send the frames as pictures or as a GIF, APNG or WebP";

/**
 * Returns the range of frames that `part` selects.
 *
 * @param options Limits, and the number of last frames if only they are used.
 * @throws {InvalidFieldsError} If a field does not suit the video.
 * @throws {ImageTooLargeError} If the range has more frames than the limit.
 */
export function frameRange(
  { header }: Pick<Video, "header">,
  part: VideoPart,
  { limits, last: kept = Infinity }: {
    readonly limits: Limits;
    readonly last?: number | undefined;
  },
): FrameRange {
  const { start, end } = checkedPart(header, part);
  const framesPerSecond = part.fps ?? header.framesPerSecond;
  if (framesPerSecond === undefined || framesPerSecond > MAX_FPS) {
    throw invalidField(
      "/fps",
      `is required: the video states no frame rate up to ${MAX_FPS}`,
    );
  }
  const maxFrames = frameLimit(limits);
  const last = Math.min(end ?? Infinity, header.durationSeconds ?? Infinity);
  const frames = Math.floor((last - start) * framesPerSecond);
  if (Number.isFinite(frames) && kept <= maxFrames) {
    // What comes long before the last frames is not decoded.
    const read = kept + Math.ceil(SOUND_S * framesPerSecond);
    const skipped = Math.max(0, frames - read) / framesPerSecond;
    const mostRead = Math.max(maxFrames, read + 1);
    const first = start + skipped;
    return { start: first, end, framesPerSecond, maxFrames: mostRead };
  }
  // One at each end may be rounded away.
  if (Number.isFinite(frames) && frames > maxFrames + 1) {
    throw new ImageTooLargeError(
      `the part of the video has about ${frames} frames at ${framesPerSecond} frames per second, more than the limit of ${maxFrames}; set a lower fps, or start and end`,
    );
  }
  return { start, end, framesPerSecond, maxFrames };
}

/** The time by which sound may be longer than its pictures, in seconds. */
const SOUND_S = 2;

/**
 * Yields `count` frames of the part of a video, evenly spaced.
 *
 * @throws {InvalidFieldsError} If a field does not suit the video.
 */
export function evenFrames(
  video: Video,
  count: number,
  part: Pick<VideoPart, "start" | "end">,
): AsyncIterable<RgbImage> {
  const { start, end = video.header.durationSeconds } = checkedPart(
    video.header,
    part,
  );
  if (end === undefined) {
    throw invalidField("/end", "is required: the video states no duration");
  }
  // The middles of equal parts.
  const step = (end - start) / count;
  const times = Array.from(
    { length: count },
    (_, i) => start + step * (i + .5),
  );
  return video.framesAt(times);
}

function checkedPart(
  { durationSeconds }: VideoHeader,
  { start = 0, end }: Pick<VideoPart, "start" | "end">,
): { readonly start: number; readonly end: number | undefined } {
  if (durationSeconds !== undefined && start >= durationSeconds) {
    throw invalidField("/start", `the video ends at ${durationSeconds} s`);
  }
  if (end !== undefined && end <= start) {
    throw invalidField("/end", "expected a time after start");
  }
  const last = end === undefined || durationSeconds === undefined
    ? end
    : Math.min(end, durationSeconds);
  return { start, end: last };
}

/**
 * Refuses the fields of a video's part for other files.
 *
 * @throws {InvalidFieldsError} If one is set.
 */
export function checkNoVideoFields<T extends object>(
  fields: T,
  names: readonly (keyof T & string)[],
): void {
  const name = names.find((name) => fields[name] !== undefined);
  if (name === undefined) return;
  throw invalidField(`/${name}`, "is for videos only, and the input is none");
}
