/**
 * The image inputs of a question: files, text or codes.
 *
 * @module
 */

import type { CodeGrid } from "../../lib/grid.ts";
import { isBinaryType, readBinaryCodes } from "../http/raw_codes.ts";
import { mediaType } from "../http/body.ts";
import { gridFromFields, isClip } from "../http/grid_json.ts";
import { checkGridPixels } from "./image_limit.ts";
import type { Tools, VisionModel } from "../models/ports.ts";
import { encodePictures } from "./encode_image.ts";
import type { PictureCall } from "./pixel_budget.ts";
import { invalidField, InvalidFieldsError } from "../http/errors/errors.ts";
import type { Grid } from "../schema/common.ts";
import { DEFAULT_VIDEO_FRAMES } from "../schema/caption.ts";
import { encodeVideoFrames } from "./video/encode_video_frames.ts";
import { checkNoVideoFields, isVideo } from "./video/video_input.ts";
import { Stopwatch } from "../http/server_timing.ts";
import {
  listBytes,
  pictureBytes,
  type PictureUse,
  type Upload,
} from "../http/upload.ts";

/** The fields for pictures. */
export interface PictureFields {
  /** Picture as a data URL, or base64. */
  readonly image?: string | undefined;
  /** Several pictures. */
  readonly images?: readonly string[] | undefined;
  /** Number of frames to take if the picture is a video. */
  readonly "video_frames"?: number | undefined;
  /** Start of the part of a video, in seconds. */
  readonly start?: number | undefined;
  /** End of the part of a video, in seconds. */
  readonly end?: number | undefined;
  /** Codes of a picture. */
  readonly grid?: Grid | undefined;
  /** Codes of several pictures. */
  readonly grids?: readonly Grid[] | undefined;
}

/** The options of reading pictures. */
export interface ReadingOptions {
  /** Orientation for display, or as the reference processor decodes. */
  readonly decode: "display" | "reference";
  /** Call that pictures are read for. */
  readonly call: PictureCall;
}

/** The encoded pictures of a question, and the time that encoding took. */
export interface QuestionGrids {
  /** Grids of codes; empty for a question of text alone. */
  readonly grids: readonly CodeGrid[];
  /** Encoding time in milliseconds. */
  readonly visionMs: number;
}

/** Runs `encode` and returns its grids with its duration. */
export async function timedGrids(
  encode: () => Promise<readonly CodeGrid[]>,
): Promise<QuestionGrids> {
  const watch = new Stopwatch();
  const grids = await watch.run(encode);
  return { grids, visionMs: watch.milliseconds };
}

/**
 * Returns the grids of a question, in order.
 *
 * @param request Request whose headers hold the size of bare codes.
 * @throws {InvalidFieldsError} If there is none, or they use two forms.
 */
export async function questionGrids(
  request: Request,
  upload: Upload<PictureFields>,
  vision: VisionModel,
  tools: Tools,
  options: ReadingOptions,
): Promise<QuestionGrids> {
  const grids = codesOf(request, upload, vision);
  if (grids !== undefined) {
    for (const grid of grids) checkGridPixels(grid, vision, tools.limits);
    return { grids, visionMs: 0 };
  }
  return await timedGrids(async () => {
    using held = new DisposableStack();
    const { call } = options;
    const files = await filesOf(tools, upload, { call, held });
    if (!files.some(isVideo)) {
      checkNoVideoFields(upload.fields, VIDEO_FIELDS);
      return await encodePictures(tools, files, vision, options);
    }
    if (files.length > 1) {
      throw invalidField("/images", "expected pictures; send a video alone");
    }
    const { fields } = upload;
    return await encodeVideoFrames(tools, files[0]!, vision, {
      ...options,
      count: fields.video_frames ?? DEFAULT_VIDEO_FRAMES,
      part: { start: fields.start, end: fields.end },
    });
  });
}

/** The fields that select frames of a video. */
const VIDEO_FIELDS = ["video_frames", "start", "end"] as const;

/** Returns the forms that a body's pictures have. */
export function givenWays(
  { fields, files, codes }: Upload<PictureFields>,
): readonly unknown[] {
  return [
    fields.image,
    fields.images,
    fields.grid,
    fields.grids,
    files.get("image"),
    codes,
  ].filter((way) => way !== undefined);
}

/**
 * Checks that pictures use exactly one form.
 *
 * @throws {InvalidFieldsError} If they use none or two; names the forms. If
 * fields of a video come with another form than `image`.
 */
export function checkOneWay(
  upload: Upload<PictureFields>,
): void {
  const { fields, files } = upload;
  const ways = givenWays(upload);
  if (ways.length === 1) {
    const mayBeVideo = fields.image ?? files.get("image");
    if (mayBeVideo === undefined) checkNoVideoFields(fields, VIDEO_FIELDS);
    return;
  }
  throw new InvalidFieldsError([{
    pointer: "/image",
    detail: ways.length === 0
      ? "is required unless images, grid or grids is set"
      : "expected exactly one of image, images, grid and grids",
  }]);
}

/** Returns the codes of a question; undefined if it has pixels. */
function codesOf(
  request: Request,
  { fields, codes }: Upload<PictureFields>,
  { codebookSize }: VisionModel,
): CodeGrid[] | undefined {
  if (fields.grid !== undefined) {
    return [gridFromFields(fields.grid, "/grid", codebookSize)];
  }
  if (fields.grids !== undefined) {
    return fields.grids.map((grid, i) =>
      gridFromFields(grid, `/grids/${i}`, codebookSize)
    );
  }
  const type = mediaType(request);
  if (codes === undefined || !isBinaryType(type)) return undefined;
  const grid = readBinaryCodes(codes, type, request.headers, codebookSize);
  if (isClip(grid)) throw invalidField("", "expected codes of shape [H, W]");
  return [grid];
}

async function filesOf(
  tools: Tools,
  { fields, files }: Upload<PictureFields>,
  use: PictureUse,
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  if (fields.image !== undefined) {
    return [await pictureBytes(tools, fields.image, "/image", use)];
  }
  if (fields.images === undefined) return files.get("image") ?? [];
  return await listBytes(tools, fields.images, "/images", use);
}
