/**
 * Files → pictures of a size that the vision tokenizer takes.
 *
 * @module
 */

import { ImageSizeError } from "../lib/errors.ts";
import type { CodeGrid } from "../lib/grid.ts";
import type { PixelSize, RgbImage } from "../lib/vision/image.ts";
import { smartResize } from "../lib/vision/smart_resize.ts";
import { checkPixelSize } from "./picture_limit.ts";
import type { Tools, VisionModel } from "./ports.ts";

/** How files are taken. */
export interface PrepareOptions {
  /** As a person sees it, or as the released processor does. */
  readonly decode: "display" | "reference";
  /** To a size within the processor's limits, or not at all. */
  readonly resize: "smart" | "none";
}

/** A picture, ready to encode. */
export interface Prepared {
  /** Of the size that is encoded. */
  readonly image: RgbImage;
  /** As it was decoded. */
  readonly source: PixelSize;
}

/** The picture in `bytes`; the first frame of an animation. */
export async function preparePicture(
  { codec, limits }: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  options: PrepareOptions,
): Promise<Prepared> {
  const { decode } = options;
  const { maxPixels } = limits;
  const image = await codec.decodeImage(bytes, { decode, maxPixels });
  return (await fit({ codec, limits }, [image], vision, options))[0]!;
}

/**
 * Frames, all brought to one size.
 *
 * @throws {ImageSizeError} When they differ in size.
 */
export async function fit(
  { codec, limits }: Tools,
  frames: readonly RgbImage[],
  vision: VisionModel,
  { resize }: PrepareOptions,
): Promise<Prepared[]> {
  const { height, width } = frames[0]!;
  const source = { height, width };
  if (frames.some((f) => f.height !== height || f.width !== width)) {
    throw new ImageSizeError("the frames of a clip must be of one size");
  }
  const factor = vision.pixelsPerCode;
  const { preprocessor } = vision.checkpoint;
  const size = resize === "smart"
    ? smartResize(source, { factor, ...preprocessor })
    : source;
  if (size.height % factor !== 0 || size.width % factor !== 0) {
    throw new ImageSizeError(
      `it is ${height} pixels high and ${width} wide, without resizing both must be multiples of ${factor}`,
    );
  }
  checkPixelSize(size, vision, limits);
  const prepared: Prepared[] = [];
  for (const frame of frames) {
    const image = resize === "smart" ? await codec.resize(frame, size) : frame;
    prepared.push({ image, source });
  }
  return prepared;
}

/** The codes of the picture in `bytes`, for a prompt. */
export async function encodePicture(
  tools: Tools,
  bytes: Uint8Array,
  vision: VisionModel,
  { decode, signal }: {
    readonly decode: PrepareOptions["decode"];
    readonly signal: AbortSignal;
  },
): Promise<CodeGrid> {
  const options = { decode, resize: "smart" } as const;
  const { image } = await preparePicture(tools, bytes, vision, options);
  return await vision.encode(image, signal);
}
