/**
 * Codes → files of pictures, within the budget of pixels.
 *
 * @module
 */

import type { CodeGrid } from "../lib/grid.ts";
import type { Share } from "../lib/async/budget.ts";
import type { PixelSize, RgbImage } from "../lib/vision/image.ts";
import { renderClipCost, renderCost } from "../lib/vision/pixel_cost.ts";
import type { PictureCall } from "./prepare.ts";
import type { Tools, VisionModel } from "./ports.ts";

/** The media types of a single picture's file. */
export type FileType = "image/png" | "image/jpeg";

/** Quality of a JPEG, 1–100. */
export const JPEG_QUALITY = 92;

/** Options of {@linkcode encodeFile}. */
export interface FileOptions {
  /** The media type. */
  readonly type: FileType;
  /** Texts of a PNG. */
  readonly text?: Readonly<Record<string, string>>;
  /** Quality of a JPEG; `JPEG_QUALITY` by default. */
  readonly jpegQuality?: number | undefined;
}

/** Encodes `image` as a file. */
export async function encodeFile(
  { codec }: Pick<Tools, "codec">,
  image: RgbImage,
  { type, text = {}, jpegQuality = JPEG_QUALITY }: FileOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return type === "image/jpeg"
    ? await codec.encodeJpeg(image, { quality: jpegQuality }, signal)
    : await codec.encodePng(image, { text }, signal);
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
