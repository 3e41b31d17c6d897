/**
 * The frames of a clip: those of an animation, of several pictures or of a
 * video, one by one and at the size that they are used at.
 *
 * ```text
 * files ─▶ headers ─▶ limits ─▶ source: size, count, cost
 *                                 └▶ frames(size): decoded, resized
 * ```
 *
 * The frames of a video or of several files are decoded as they are taken. An
 * animation is decoded at once, at the smaller of its own size and that of use.
 *
 * @module
 */

import { ImageSizeError } from "../../../lib/errors.ts";
import {
  checkFrames,
  checkPixels,
  type PictureHeader,
  readHeader,
} from "../../../lib/image/header.ts";
import type { PixelSize, RgbImage } from "../../../lib/image/image.ts";
import {
  decodeCost,
  heldCost,
  videoCost,
} from "../../../lib/image/pixel_cost.ts";
import type { Video } from "../../../lib/image/video/reader.ts";
import { invalidField } from "../../http/errors/errors.ts";
import type { Tools } from "../../models/ports.ts";
import type { VideoPart } from "../../schema/video.ts";
import { type PrepareOptions, sourceSize } from "../encode_image.ts";
import { checkFrameCount, frameLimit } from "../frame_limit.ts";
import type { PictureCall } from "../pixel_budget.ts";
import {
  checkNoVideoFields,
  frameRange,
  isVideo,
  openVideo,
} from "./video_input.ts";

/** Options of {@linkcode openClipFrames}. */
export interface ClipFramesOptions extends Pick<PrepareOptions, "decode"> {
  /**
   * True to read all frames of one file; false to read the first frame of each
   * file.
   */
  readonly animation: boolean;
  /** Part of a video; the whole by default. */
  readonly part?: VideoPart | undefined;
  /** Number of last frames to read; all by default. */
  readonly last?: number | undefined;
  /** JSON pointer to the field of the files; `/frames` by default. */
  readonly pointer?: string | undefined;
  /** Call that frames are read for. */
  readonly call: PictureCall;
}

/** The frames of a clip; their files are released on disposal. */
export interface ClipFrames extends AsyncDisposable {
  /** Size of the decoded frames. */
  readonly source: PixelSize;
  /** Number of frames; undefined for a video, which is counted as it is read. */
  readonly count: number | undefined;
  /** Frames per second of a video's samples. */
  readonly framesPerSecond?: number | undefined;
  /** Returns the peak memory of reading frames of `size`, in bytes. */
  cost(size: PixelSize): number;
  /**
   * Yields the frames at `size`.
   *
   * @param onHeld Called with the bytes that reading takes from then on.
   * @throws {ImageError} If a file is damaged or truncated.
   */
  frames(
    size: PixelSize,
    onHeld?: (bytes: number) => void,
  ): AsyncIterable<RgbImage>;
}

/**
 * Opens the frames of `files`: one animation or video, or pictures.
 *
 * @throws {ImageError} If a file is damaged or not supported.
 * @throws {ImageSizeError} If frames differ in size.
 * @throws {ImageTooLargeError} If frames or pixels are too many.
 * @throws {InvalidFieldsError} If the part does not suit the file.
 */
export async function openClipFrames(
  tools: Tools,
  files: readonly Uint8Array[],
  options: ClipFramesOptions,
): Promise<ClipFrames> {
  const [first] = files;
  if (options.animation && isVideo(first!)) {
    const video = await openVideo(tools, first!, options);
    try {
      return videoFrames(tools, video, first!, options);
    } catch (error) {
      await video[Symbol.asyncDispose]();
      throw error;
    }
  }
  if (files.some(isVideo)) {
    const detail = "expected pictures; send a video alone";
    throw invalidField(options.pointer ?? FRAMES, detail);
  }
  checkNoVideoFields(options.part ?? {}, ["fps", "start", "end"]);
  return options.animation
    ? animationFrames(tools, first!, options)
    : stillFrames(tools, files, options);
}

/** The default pointer to the field of the files. */
const FRAMES = "/frames";

function videoFrames(
  tools: Tools,
  video: Video,
  file: Uint8Array,
  { part = {}, last, call }: ClipFramesOptions,
): ClipFrames {
  const { codec } = tools;
  const range = frameRange(video, part, { limits: tools.limits, last });
  const { header } = video;
  return {
    source: { height: header.height, width: header.width },
    count: undefined,
    framesPerSecond: range.framesPerSecond,
    cost: (size) =>
      videoCost(header, file.length, size) + heldCost(size, last ?? 0),
    frames: async function* (size) {
      const kept: RgbImage[] = [];
      for await (const frame of video.frames(range)) {
        const image = await resized(codec, frame, size, call);
        if (last === undefined) yield image;
        else if (kept.push(image) > last) kept.shift();
      }
      yield* kept;
    },
    [Symbol.asyncDispose]: () => video[Symbol.asyncDispose](),
  };
}

function animationFrames(
  { codec, limits }: Tools,
  file: Uint8Array,
  { decode, last = Infinity, call }: ClipFramesOptions,
): ClipFrames {
  const header = readHeader(file);
  const count = header.frames;
  const maxFrames = frameLimit(limits);
  checkFrames(header, maxFrames);
  checkPixels(header, count, limits.maxPixels);
  const source = sourceSize(header, { decode });
  const work = { header, fileBytes: file.length, frames: count };
  const held = (size: PixelSize) => heldCost(smaller(source, size), count);
  return {
    source,
    count: Math.min(count, last),
    cost: (size) => decodeCost(work, size) + held(size),
    frames: async function* (size, onHeld) {
      const images = await codec.decodeFrames(file, {
        decode,
        maxPixels: limits.maxPixels,
        size: smaller(source, size) === size ? size : undefined,
        maxFrames,
      }, call);
      onHeld?.(held(size));
      for (const image of images.slice(-last)) {
        yield await resized(codec, image, size, call);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function stillFrames(
  { codec, limits }: Tools,
  all: readonly Uint8Array[],
  { decode, last = Infinity, pointer = FRAMES, call }: ClipFramesOptions,
): ClipFrames {
  const { maxPixels } = limits;
  const files = all.slice(-last);
  const count = files.length;
  checkFrameCount(count, pointer, limits);
  const headers = files.map((file) => readHeader(file));
  for (const header of headers) checkPixels(header, count, maxPixels);
  const source = sourceSize(headers[0]!, { decode });
  for (const header of headers) checkSameSize(header, source, decode);
  return {
    source,
    count,
    cost: (size) =>
      Math.max(
        ...headers.map((header, i) =>
          decodeCost({ header, fileBytes: files[i]!.length, frames: 1 }, size)
        ),
      ),
    frames: async function* (size) {
      for (const file of files) {
        // Frames of a disconnected client are not decoded.
        call.signal.throwIfAborted();
        yield await codec.decodeImage(file, { decode, maxPixels, size }, call);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function checkSameSize(
  header: PictureHeader,
  source: PixelSize,
  decode: PrepareOptions["decode"],
): void {
  const { height, width } = sourceSize(header, { decode });
  if (height === source.height && width === source.width) return;
  throw new ImageSizeError("the frames of a clip must have the same size");
}

async function resized(
  codec: Tools["codec"],
  image: RgbImage,
  size: PixelSize,
  call: PictureCall,
): Promise<RgbImage> {
  call.signal.throwIfAborted();
  const fits = image.height === size.height && image.width === size.width;
  return fits ? image : await codec.resize(image, size, call);
}

/** Returns the size with fewer pixels; `one` if they are equal. */
function smaller(other: PixelSize, one: PixelSize): PixelSize {
  return other.height * other.width < one.height * one.width ? other : one;
}
