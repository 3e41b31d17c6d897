/**
 * The encoder of single frames of a video, which become the pictures of a
 * question.
 *
 * @module
 */

import type { CodeGrid } from "../../../lib/grid.ts";
import { encodeCost, videoCost } from "../../../lib/image/pixel_cost.ts";
import type { Tools, VisionModel } from "../../models/ports.ts";
import type { VideoPart } from "../../schema/video.ts";
import { fittedSize, type PrepareOptions } from "../encode_image.ts";
import { acquirePixels, type PictureCall } from "../pixel_budget.ts";
import { evenFrames, openVideo } from "./video_input.ts";

/** Options of {@linkcode encodeVideoFrames}. */
export interface VideoFramesOptions extends Pick<PrepareOptions, "decode"> {
  /** Number of frames. */
  readonly count: number;
  /** Part of the video. */
  readonly part: Pick<VideoPart, "start" | "end">;
  /** Call that frames are encoded for. */
  readonly call: PictureCall;
}

/**
 * Encodes evenly spaced frames of the video in `bytes`, each to one grid.
 *
 * @throws {ImageError} If it is damaged, or the server has no ffmpeg.
 * @throws {InvalidFieldsError} If the part does not suit the video.
 */
export async function encodeVideoFrames(
  tools: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  { count, part, decode, call }: VideoFramesOptions,
): Promise<CodeGrid[]> {
  await using video = await openVideo(tools, bytes, { decode, call });
  const frames = evenFrames(video, count, part);
  const { header } = video;
  const size = fittedSize(header, vision, { resize: "smart" }, tools.limits);
  const cost = videoCost(header, bytes.length, size) + encodeCost(size, 1);
  using _share = await acquirePixels(tools, cost, call);
  const grids: CodeGrid[] = [];
  for await (const frame of frames) {
    const image = await tools.codec.resize(frame, size, call);
    grids.push(await vision.encode(image, call.signal, call.caller));
  }
  return grids;
}
