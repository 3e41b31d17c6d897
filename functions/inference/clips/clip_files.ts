/**
 * The files of clips: codes → APNG, GIF, MP4 or a zip of PNGs.
 *
 * @module
 */

import { type CodeClip, pixelSize } from "../../../lib/grid.ts";
import { joinGifs } from "../../../lib/image/animation/animated_gif.ts";
import { joinPngs } from "../../../lib/image/animation/animated_png.ts";
import { zipPngs } from "../../../lib/image/codec/zip.ts";
import type { PixelSize, RgbImage } from "../../../lib/image/image.ts";
import { maxClipPixels } from "../../../lib/image/pixel_cost.ts";
import type { Tools, VisionModel } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { checkFrameCount } from "../frame_limit.ts";
import { checkGridSize, type PictureVision } from "../image_limit.ts";
import type { PictureCall } from "../pixel_budget.ts";

/** The media types of a clip's file by their names in bodies. */
export const CLIP_TYPES = {
  apng: "image/apng",
  gif: "image/gif",
  zip: "application/zip",
  mp4: "video/mp4",
} as const;

/** A name of a clip's type. */
export type ClipFormat = keyof typeof CLIP_TYPES;

/** A media type of a clip's file. */
export type ClipType = typeof CLIP_TYPES[ClipFormat];

/** Frame rate of a clip of codes alone: Emu3 has no fixed one. */
export const FRAMES_PER_SECOND = 8;

/** Returns the types that this server can make, the default first. */
export function clipTypes(
  { encodeVideo }: Pick<Tools, "encodeVideo">,
): readonly ClipType[] {
  return Object.values(CLIP_TYPES)
    .filter((type) => type !== "video/mp4" || encodeVideo !== undefined);
}

/** Returns true if `type` is a media type of a clip's file. */
export function isClipType(type: string): type is ClipType {
  return Object.values(CLIP_TYPES).some((clip) => clip === type);
}

/** A clip of codes, without the codes. */
export type ClipSize = Pick<
  CodeClip,
  "frames" | "height" | "width" | "framesPerCode"
>;

/** Returns the number of frames of pixels of a clip. */
export function pixelFrames(
  { frames, framesPerCode }: Pick<CodeClip, "frames" | "framesPerCode">,
  vision: Pick<VisionModel, "framesPerCode">,
): number {
  return frames * (framesPerCode ?? vision.framesPerCode);
}

/** Returns the number and the size of a clip's frames of pixels. */
export function pixelShape(
  clip: ClipSize,
  vision: Pick<VisionModel, "framesPerCode" | "pixelsPerCode">,
): ClipShape {
  return {
    frames: pixelFrames(clip, vision),
    ...pixelSize(clip, vision),
  };
}

/** The number and the size of a clip's frames of pixels. */
export interface ClipShape extends PixelSize {
  /** Number of frames. */
  readonly frames: number;
}

/** Options of {@linkcode clipFile}. */
export interface ClipFileOptions extends ClipShape {
  /** Media type of the file. */
  readonly type: ClipType;
  /** Frame rate of the file. */
  readonly framesPerSecond: number;
  /** Texts of an APNG by keyword. */
  readonly text?: Readonly<Record<string, string>>;
}

/**
 * Encodes frames as a file. A frame is asked for when the one before is
 * encoded: memory grows with the file, not with the pixels.
 */
export async function clipFile(
  { codec, encodeVideo }: Pick<Tools, "codec" | "encodeVideo">,
  frames: AsyncIterable<RgbImage>,
  options: ClipFileOptions,
  call: PictureCall,
): Promise<Uint8Array> {
  const { type, text = {} } = options;
  const pngs = () =>
    Array.fromAsync(frames, (frame) => codec.encodePng(frame, {}, call));
  switch (type) {
    case "image/apng":
      return joinPngs(await pngs(), { ...options, text });
    case "image/gif":
      return joinGifs(
        await Array.fromAsync(
          frames,
          (frame) => codec.encodeGif(frame, options, call),
        ),
      );
    case "application/zip":
      return await zipPngs(await pngs());
    case "video/mp4":
      return await encodeVideo!(frames, { ...options, signal: call.signal });
  }
}

/**
 * Checks that a clip is small enough to decode: one frame is decoded at once,
 * and the file of all is held.
 *
 * @param pointer JSON pointer of the field that sets its length.
 * @throws {ImageTooLargeError} If a frame is too large to decode.
 * @throws {InvalidFieldsError} If it has too many pixels.
 */
export function checkClipSize(
  clip: ClipSize,
  vision: PictureVision & Pick<VisionModel, "framesPerCode">,
  { limits }: Pick<Tools, "limits">,
  pointer = "/clip",
): void {
  const shape = pixelShape(clip, vision);
  checkFrameCount(shape.frames, pointer, limits);
  checkGridSize(clip, vision, limits);
  const pixels = shape.frames * shape.height * shape.width;
  const most = maxClipPixels(limits.maxPixels);
  if (pixels <= most) return;
  throw invalidField(
    pointer,
    `${shape.frames} frames have ${pixels} pixels, more than the limit of ${most} (by MAX_PIXELS); send fewer`,
  );
}
