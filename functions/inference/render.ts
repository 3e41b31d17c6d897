/**
 * Codes → files of pictures, within the budget of pixels.
 *
 * @module
 */

import type { CodeGrid } from "../../lib/grid.ts";
import type { Share } from "../../lib/async/budget.ts";
import type { PixelSize, RgbImage } from "../../lib/image/image.ts";
import { renderClipCost, renderCost } from "../../lib/image/pixel_cost.ts";
import type { PictureCall } from "./encode_image.ts";
import type { Tools, VisionModel } from "../models/ports.ts";

/** The media types of a single picture's file. */
export type FileType = "image/png" | "image/jpeg" | "image/webp";

/** The media types by the names that bodies have for them. */
export const FILE_TYPES = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
} as const satisfies Record<string, FileType>;

/** A name of a picture's type. */
export type FileFormat = keyof typeof FILE_TYPES;

/** Quality of a JPEG, 1–100. */
export const JPEG_QUALITY = 92;

/** Options of {@linkcode encodeFile}. */
export interface FileOptions {
  /** The media type. */
  readonly type: FileType;
  /** Texts of a PNG. */
  readonly text?: Readonly<Record<string, string>>;
  /**
   * 1–100, of a JPEG `JPEG_QUALITY` by default; a WebP without any loses
   * nothing.
   */
  readonly quality?: number | undefined;
}

/** Encodes `image` as a file. */
export async function encodeFile(
  { codec }: Pick<Tools, "codec">,
  image: RgbImage,
  { type, text = {}, quality }: FileOptions,
  call: PictureCall,
): Promise<Uint8Array> {
  switch (type) {
    case "image/jpeg": {
      const options = { quality: quality ?? JPEG_QUALITY };
      return await codec.encodeJpeg(image, options, call);
    }
    case "image/webp":
      return await codec.encodeWebp(image, { quality }, call);
    case "image/png":
      return await codec.encodePng(image, { text }, call);
  }
}

/**
 * Takes the share of the picture that `grid` becomes.
 *
 * @param options `urgent` for a picture that was drawn: it is never refused.
 * @throws {OverloadedError} When too many pictures wait.
 */
export async function acquirePicture(
  { pixels }: Pick<Tools, "pixels">,
  grid: Pick<CodeGrid, "height" | "width">,
  vision: VisionModel,
  { call, urgent = false }: {
    readonly call: PictureCall;
    readonly urgent?: boolean;
  },
): Promise<Share> {
  const { signal, caller } = call;
  const cost = renderCost(pixelSize(grid, vision));
  return await pixels.acquire(cost, { signal, caller, urgent });
}

/**
 * Takes the share of a clip's frames, and of the file that they become.
 *
 * @throws {OverloadedError} When too many pictures wait.
 */
export async function acquireClip(
  { pixels }: Pick<Tools, "pixels">,
  clip: Pick<CodeGrid, "height" | "width"> & { readonly frames: number },
  vision: VisionModel,
  call: PictureCall,
): Promise<Share> {
  const { framesPerCode: atOnce } = vision;
  const frames = clip.frames * atOnce;
  const cost = renderClipCost(pixelSize(clip, vision), { frames, atOnce });
  return await pixels.acquire(cost, call);
}

function pixelSize(
  { height, width }: PixelSize,
  { pixelsPerCode }: VisionModel,
): PixelSize {
  return { height: height * pixelsPerCode, width: width * pixelsPerCode };
}
