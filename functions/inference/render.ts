/**
 * The renderer: codes → files of pictures, within the pixel budget.
 *
 * @module
 */

import { type CodeGrid, pixelSize } from "../../lib/grid.ts";
import type { Share } from "../../lib/async/budget.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import { renderClipCost, renderCost } from "../../lib/image/pixel_cost.ts";
import { type ClipSize, pixelShape } from "./clips/clip_files.ts";
import { acquirePixels, type PictureCall } from "./pixel_budget.ts";
import type { Tools, VisionModel } from "../models/ports.ts";

/** A media type of a picture file. */
export type FileType = "image/png" | "image/jpeg" | "image/webp";

/** The media types by their names in bodies. */
export const FILE_TYPES = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
} as const satisfies Record<string, FileType>;

/** A name of a picture's type. */
export type FileFormat = keyof typeof FILE_TYPES;

/** The default quality of a JPEG, 1–100. */
export const JPEG_QUALITY = 92;

/** Options of {@linkcode encodeFile}. */
export interface FileOptions {
  /** Media type of the file. */
  readonly type: FileType;
  /** Texts of a PNG. */
  readonly text?: Readonly<Record<string, string>>;
  /**
   * Quality from 1 to 100; by default `JPEG_QUALITY` for a JPEG, and lossless
   * for a WebP.
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
 * Acquires the share of the picture that `grid` becomes.
 *
 * @param options `urgent`: true for a generated picture, which is never refused.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function acquirePicture(
  tools: Pick<Tools, "pixels">,
  grid: Pick<CodeGrid, "height" | "width">,
  vision: VisionModel,
  { call, urgent = false }: {
    readonly call: PictureCall;
    readonly urgent?: boolean;
  },
): Promise<Share> {
  const cost = renderCost(pixelSize(grid, vision));
  return await acquirePixels(tools, cost, call, urgent);
}

/**
 * Acquires the share of a clip's frames, and of the file that they become.
 *
 * @param urgent True for a generated clip, which is never refused.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function acquireClip(
  tools: Pick<Tools, "pixels">,
  clip: ClipSize,
  vision: VisionModel,
  call: PictureCall,
  urgent = false,
): Promise<Share> {
  const { frames, ...size } = pixelShape(clip, vision);
  const cost = renderClipCost(size, frames);
  return await acquirePixels(tools, cost, call, urgent);
}
