/**
 * The image encoder: files → pictures of a size that the vision tokenizer
 * accepts.
 *
 * Pictures are refused by their header if possible. Then the picture waits for
 * its share of the pixel budget, is decoded and resized in one call, and keeps
 * only the share of the resized picture.
 *
 * @module
 */

import type { CodeGrid } from "../../lib/grid.ts";
import {
  checkPixels,
  type PictureHeader,
  readHeader,
  shownSize,
} from "../../lib/image/header.ts";
import type { PixelSize, RgbImage } from "../../lib/image/image.ts";
import { decodeCost, encodeCost } from "../../lib/image/pixel_cost.ts";
import {
  requireWholeCodes,
  smartResize,
} from "../../lib/vision/smart_resize.ts";
import { checkPixelSize } from "./image_limit.ts";
import { acquirePixels, type PictureCall } from "./pixel_budget.ts";
import type { Limits, Tools, VisionModel } from "../models/ports.ts";

/** The options of decoding and resizing. */
export interface PrepareOptions {
  /** Orientation for display, or as the reference processor decodes. */
  readonly decode: "display" | "reference";
  /** Resize to the processor's limits, not at all, or to this size. */
  readonly resize: "smart" | "none" | PixelSize;
}

/** A picture that is ready to encode; it holds its share until it is disposed. */
export interface Prepared extends Disposable {
  /** Picture at the size that is encoded. */
  readonly image: RgbImage;
  /** Size of the decoded picture. */
  readonly source: PixelSize;
}

/** A picture that is accepted by its header. */
interface PicturePlan {
  readonly bytes: Uint8Array;
  readonly header: PictureHeader;
  /** Size of the decoded picture. */
  readonly source: PixelSize;
  /** Size that it is encoded at. */
  readonly size: PixelSize;
}

/**
 * Decodes and resizes the picture in `bytes`, or the first frame of an
 * animation.
 *
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function preparePicture(
  tools: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  { options, call }: {
    readonly options: PrepareOptions;
    readonly call: PictureCall;
  },
): Promise<Prepared> {
  const plan = planPicture(tools, bytes, vision, options);
  return await preparePlanned(tools, plan, { options, call });
}

function planPicture(
  { limits }: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  options: PrepareOptions,
): PicturePlan {
  const header = readHeader(bytes);
  checkPixels(header, 1, limits.maxPixels);
  const source = sourceSize(header, options);
  return {
    bytes,
    header,
    source,
    size: fittedSize(source, vision, options, limits),
  };
}

async function preparePlanned(
  tools: Tools,
  { bytes, header, source, size }: PicturePlan,
  { options: { decode }, call }: {
    readonly options: PrepareOptions;
    readonly call: PictureCall;
  },
): Promise<Prepared> {
  const { codec, limits: { maxPixels } } = tools;
  const work = { header, fileBytes: bytes.length, frames: 1 };
  const share = await acquirePixels(tools, decodeCost(work, size), call);
  try {
    const image = await codec.decodeImage(
      bytes,
      { decode, maxPixels, size },
      call,
    );
    share.shrink(encodeCost(size, 1));
    return { image, source, [Symbol.dispose]: () => share[Symbol.dispose]() };
  } catch (error) {
    share[Symbol.dispose]();
    throw error;
  }
}

/** Returns the size of a picture as it is decoded. */
export function sourceSize(
  header: PictureHeader,
  { decode }: Pick<PrepareOptions, "decode">,
): PixelSize {
  const { height, width } = decode === "display" ? shownSize(header) : header;
  return { height, width };
}

/**
 * Returns the size that a picture of size `source` is encoded at.
 *
 * @throws {ImageSizeError} If its sides are out of range.
 * @throws {ImageTooLargeError} If its pixels are too many.
 */
export function fittedSize(
  source: PixelSize,
  vision: VisionModel,
  { resize }: Pick<PrepareOptions, "resize">,
  limits: Limits,
): PixelSize {
  const factor = vision.pixelsPerCode;
  const { preprocessor } = vision.checkpoint;
  const smart = resize === "none"
    ? source
    : smartResize(source, { factor, ...preprocessor });
  const size = typeof resize === "object" ? resize : smart;
  requireWholeCodes(size, factor);
  checkPixelSize(size, vision, limits);
  return size;
}

/**
 * Encodes pictures to codes, for a prompt or of a given size. All are checked by
 * their headers before one is decoded.
 */
export async function encodePictures(
  tools: Tools,
  files: readonly Uint8Array[],
  vision: VisionModel,
  { decode, resize = "smart", call }: {
    readonly decode: PrepareOptions["decode"];
    readonly resize?: PrepareOptions["resize"];
    readonly call: PictureCall;
  },
): Promise<CodeGrid[]> {
  const options = { decode, resize } as const;
  const plans = files.map((bytes) =>
    planPicture(tools, bytes, vision, options)
  );
  const grids: CodeGrid[] = [];
  for (const plan of plans) {
    using prepared = await preparePlanned(tools, plan, { options, call });
    const { image } = prepared;
    grids.push(await vision.encode(image, call.signal, call.caller));
  }
  return grids;
}

/** Encodes one picture as {@linkcode encodePictures} does. */
export async function encodePicture(
  tools: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  options: Parameters<typeof encodePictures>[3],
): Promise<CodeGrid> {
  const [grid] = await encodePictures(tools, [bytes], vision, options);
  return grid!;
}
