/**
 * The files of clips: frames of pixels → APNG, GIF, MP4 or a zip of PNGs.
 *
 * @module
 */

import type { CodeClip } from "../../../lib/grid.ts";
import type { RgbImage } from "../../../lib/image/image.ts";
import type { Tools, VisionModel } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { checkFrameCount } from "../frame_limit.ts";
import { checkRunSize } from "../image_limit.ts";
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

/** Returns the number of frames of pixels of a clip. */
export function pixelFrames(
  { frames, framesPerCode }: Pick<CodeClip, "frames" | "framesPerCode">,
  vision: Pick<VisionModel, "framesPerCode">,
): number {
  return frames * (framesPerCode ?? vision.framesPerCode);
}

/**
 * Encodes frames of one size as a file.
 *
 * @param options `text`: texts of an APNG by keyword.
 */
export async function clipFile(
  { codec, encodeVideo }: Pick<Tools, "codec" | "encodeVideo">,
  frames: readonly RgbImage[],
  type: ClipType,
  { framesPerSecond, text = {}, call }: {
    readonly framesPerSecond: number;
    readonly text?: Readonly<Record<string, string>>;
    readonly call: PictureCall;
  },
): Promise<Uint8Array> {
  const options = { framesPerSecond };
  switch (type) {
    case "image/apng":
      return await codec.encodeApng(frames, { ...options, text }, call);
    case "image/gif":
      return await codec.encodeGif(frames, options, call);
    case "application/zip":
      return await codec.zipPngs(frames, call);
    case "video/mp4":
      return await encodeVideo!(frames, { ...options, signal: call.signal });
  }
}

/**
 * Checks that a clip is small enough to decode: all frames are held at once, so
 * their pixels are counted together.
 *
 * @param pointer JSON pointer of the field that sets its length.
 * @throws {InvalidFieldsError} If it has too many pixels.
 */
export function checkClipSize(
  clip: Pick<CodeClip, "frames" | "height" | "width" | "framesPerCode">,
  vision: Pick<VisionModel, "framesPerCode" | "pixelsPerCode">,
  { limits }: Pick<Tools, "limits">,
  pointer = "/clip",
): void {
  const { pixelsPerCode } = vision;
  const size = {
    height: clip.height * pixelsPerCode,
    width: clip.width * pixelsPerCode,
  };
  const count = pixelFrames(clip, vision);
  checkFrameCount(count, pointer, limits);
  checkRunSize(size, clip.framesPerCode ?? vision.framesPerCode, limits);
  const pixels = count * size.height * size.width;
  if (pixels <= limits.maxPixels) return;
  throw invalidField(
    pointer,
    `${count} frames have ${pixels} pixels, more than the limit of ${limits.maxPixels} (MAX_PIXELS); send fewer`,
  );
}
