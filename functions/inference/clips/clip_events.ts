/**
 * The clips of a generation: previews of their frames, and their files.
 *
 * @module
 */

import { drawnFrameHeight } from "../../../lib/clip_layout.ts";
import type { DrawnRow } from "../../../lib/drawing/drawn_grid.ts";
import type { CodeClip, CodeGrid } from "../../../lib/grid.ts";
import { withGifXmp } from "../../../lib/image/metadata/gif_xmp.ts";
import { withMp4Xmp } from "../../../lib/image/metadata/mp4_xmp.ts";
import type { GenerationTask, PictureFile } from "../generation_task.ts";
import {
  type PictureOrigin,
  pictureTexts,
  xmpPacket,
} from "../image_metadata.ts";
import type { Tools } from "../../models/ports.ts";
import { clipFile, type ClipType, pixelShape } from "./clip_files.ts";
import type { PictureCall } from "../pixel_budget.ts";
import { acquireClip, encodeFile } from "../render.ts";

/** A file of a clip. */
export interface ClipFile extends Omit<PictureFile, "type"> {
  /** Media type. */
  readonly type: ClipType;
}

/** A finished clip. */
export interface GeneratedClip {
  /** Index of the clip in the generation. */
  readonly imageIndex: number;
  /** Codes of the clip, given frames included. */
  readonly codes: CodeClip;
  /** Rows of all frames that were drawn, in order. */
  readonly rows: readonly DrawnRow[];
  /** File, if one is requested. */
  readonly file: ClipFile | undefined;
}

/** Writers of XMP; an APNG has it among its texts. */
const XMP_WRITERS: Partial<Record<ClipType, typeof withGifXmp>> = {
  "image/gif": withGifXmp,
  "video/mp4": withMp4Xmp,
};

/** Returns the codes of a clip, from those of all frames below each other. */
export function clipOf(
  { codes, width }: CodeGrid,
  { params, models: { vision } }: Pick<GenerationTask, "params" | "models">,
): CodeClip {
  const { frames, framesPerCode } = params.clip!;
  return {
    frames,
    height: drawnFrameHeight(params),
    width,
    ...(framesPerCode !== vision.framesPerCode && { framesPerCode }),
    codes,
  };
}

/** Returns the pictures of a frame that was just drawn. */
export async function framePreviews(
  task: GenerationTask,
  rows: readonly DrawnRow[],
  tools: Tools,
  call: PictureCall,
): Promise<readonly PictureFile[]> {
  const height = drawnFrameHeight(task.params);
  const { width } = task.params.size;
  const codes = new Uint16Array(height * width);
  for (const [i, row] of rows.slice(-height).entries()) {
    codes.set(row.codes, i * width);
  }
  const frame = {
    ...clipOf({ height, width, codes }, task),
    frames: 1,
  };
  const { vision } = task.models;
  using _share = await acquireClip(tools, frame, vision, call, true);
  const previews: PictureFile[] = [];
  for await (
    const image of vision.decodeClip(frame, call.signal, call.caller)
  ) {
    const { height, width } = image;
    const type = "image/png";
    const bytes = await encodeFile(tools, image, { type }, call);
    previews.push({ type, bytes: new Uint8Array(bytes), height, width });
  }
  return previews;
}

/**
 * Returns the file of a clip, if one is requested. APNG, GIF and MP4 hold
 * metadata; a zip has no common place for it.
 */
export async function fileOfClip(
  task: GenerationTask,
  { codes: clip, imageIndex }: Pick<GeneratedClip, "codes" | "imageIndex">,
  tools: Tools,
  call: PictureCall,
): Promise<ClipFile | undefined> {
  const { clipType: type, models: { vision, language }, params } = task;
  if (type === undefined) return undefined;
  using _share = await acquireClip(tools, clip, vision, call, true);
  const framesPerSecond = params.clip!.fps;
  const origin: PictureOrigin = { model: language.name, params, imageIndex };
  const text = task.metadata && type === "image/apng"
    ? pictureTexts(origin)
    : {};
  const shape = pixelShape(clip, vision);
  const made = await clipFile(
    tools,
    vision.decodeClip(clip, call.signal, call.caller),
    { type, framesPerSecond, text, ...shape },
    call,
  );
  const withXmp = task.metadata ? XMP_WRITERS[type] : undefined;
  const bytes = withXmp?.(made, xmpPacket(origin)) ?? new Uint8Array(made);
  const { height, width } = shape;
  return { type, bytes, height, width };
}
