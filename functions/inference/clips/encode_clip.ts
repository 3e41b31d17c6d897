/**
 * The clip encoder: an animation, or several files of one size → codes.
 *
 * ```text
 * headers ─▶ limits ─▶ share ─▶ decoded frames ─▶ 4 at a time: resized ─▶ codes
 * ```
 *
 * Frames are stored at the smaller of their own size and the size that they are
 * encoded at, so that enlarged frames are never all in memory.
 *
 * @module
 */

import { checkFrameCount, frameLimit } from "../frame_limit.ts";
import { checkRunSize } from "../image_limit.ts";
import { ImageSizeError, ImageTooLargeError } from "../../../lib/errors.ts";
import type { CodeClip, CodeGrid } from "../../../lib/grid.ts";
import {
  checkFrames,
  checkPixels,
  type PictureHeader,
  readHeader,
} from "../../../lib/image/header.ts";
import type { PixelSize, RgbImage } from "../../../lib/image/image.ts";
import {
  decodeCost,
  encodeCost,
  heldCost,
} from "../../../lib/image/pixel_cost.ts";
import {
  fittedSize,
  type PrepareOptions,
  sourceSize,
} from "../encode_image.ts";
import { acquirePixels, type PictureCall } from "../pixel_budget.ts";
import type { Tools, VisionModel } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";

/** Options of {@linkcode encodeClip}. */
export interface ClipOptions extends PrepareOptions {
  /**
   * True to encode all frames of one file; false to encode the first frame of
   * each file.
   */
  readonly animation: boolean;
  /** True to repeat the last frame until a code frame is full. */
  readonly pad: boolean;
  /** True to encode each frame as a still. */
  readonly stills?: boolean;
  /** JSON pointer of the field with the frames; `/frames` by default. */
  readonly pointer?: string;
}

/** A clip as codes. */
export interface EncodedClip {
  /** Codes of the clip. */
  readonly codes: CodeClip;
  /** Size of the decoded frames. */
  readonly source: PixelSize;
  /** Size of the encoded frames. */
  readonly size: PixelSize;
  /** Milliseconds of resizing and encoding, without decoding. */
  readonly visionMs: number;
}

/** The frames of a clip before they are decoded. */
interface ClipPlan {
  readonly headers: readonly PictureHeader[];
  readonly count: number;
  readonly source: PixelSize;
  readonly size: PixelSize;
  /** Frames of pixels that a frame of codes represents. */
  readonly framesPerCode: number;
}

/**
 * Encodes the frames of `files`: one animation, or stills.
 *
 * @throws {ImageSizeError} If frames differ in size.
 * @throws {ImageTooLargeError} If frames or pixels are too many, as sent or
 * as resized.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function encodeClip(
  tools: Tools,
  files: readonly Uint8Array[],
  vision: VisionModel,
  { options, call }: {
    readonly options: ClipOptions;
    readonly call: PictureCall;
  },
): Promise<EncodedClip> {
  const plan = planClip(tools, files, vision, options);
  const { count, source, size } = plan;
  const atOnce = encodeCost(size, plan.framesPerCode);
  const kept = heldCost(smaller(source, size), count);
  const peak = Math.max(...plan.headers.map((header, i) => {
    const fileBytes = files[i]!.length;
    const frames = options.animation ? count : 1;
    return decodeCost({ header, fileBytes, frames }, size);
  }));
  const most = Math.max(peak, atOnce) + kept;
  using share = await acquirePixels(tools, most, call);
  const frames = await decodeAll(tools, files, plan, { options, call });
  share.shrink(kept + atOnce);
  const startedAt = performance.now();
  const codes = await encodeInParts(tools, frames, vision, { plan, call });
  return { codes, source, size, visionMs: performance.now() - startedAt };
}

function planClip(
  { limits }: Tools,
  files: readonly Uint8Array[],
  vision: VisionModel,
  options: ClipOptions,
): ClipPlan {
  const { maxPixels } = limits;
  const headers = files.map((file) => readHeader(file));
  const [first] = headers;
  const count = options.animation ? first!.frames : files.length;
  if (options.animation) checkFrames(first!, frameLimit(limits));
  else checkFrameCount(count, options.pointer ?? "/frames", limits);
  for (const header of headers) checkPixels(header, count, maxPixels);
  const source = sourceSize(first!, options);
  for (const header of headers) {
    const { height, width } = sourceSize(header, options);
    if (height !== source.height || width !== source.width) {
      throw new ImageSizeError("the frames of a clip must have the same size");
    }
  }
  const size = fittedSize(source, vision, options, limits);
  const framesPerCode = options.stills ? 1 : vision.framesPerCode;
  checkRunSize(size, framesPerCode, limits);
  if (count % framesPerCode !== 0 && !options.pad) {
    throw invalidField(
      options.pointer ?? "/frames",
      `${count} frames are not a multiple of ${framesPerCode}: send more or fewer, or set "pad": "repeat"`,
    );
  }
  const encoded = Math.ceil(count / framesPerCode) * framesPerCode *
    size.height * size.width;
  if (encoded > maxPixels) {
    throw new ImageTooLargeError(
      `${count} frames have ${encoded} pixels once they are resized to ${size.height} × ${size.width}, at most ${maxPixels} become codes: send fewer`,
    );
  }
  return { headers, count, source, size, framesPerCode };
}

/** Decodes all frames, resized where that makes them smaller. */
async function decodeAll(
  { codec, limits }: Tools,
  files: readonly Uint8Array[],
  { source, size }: ClipPlan,
  { options: { decode, animation }, call }: {
    readonly options: ClipOptions;
    readonly call: PictureCall;
  },
): Promise<RgbImage[]> {
  const options = {
    decode,
    maxPixels: limits.maxPixels,
    size: smaller(source, size) === size ? size : undefined,
  };
  if (animation) {
    const frames = { ...options, maxFrames: frameLimit(limits) };
    return await codec.decodeFrames(files[0]!, frames, call);
  }
  const images: RgbImage[] = [];
  for (const file of files) {
    // Frames of a disconnected client are not encoded.
    call.signal.throwIfAborted();
    images.push(await codec.decodeImage(file, options, call));
  }
  return images;
}

/** Encodes chunk by chunk; chunks are independent of each other. */
async function encodeInParts(
  { codec }: Tools,
  frames: readonly RgbImage[],
  vision: VisionModel,
  { plan: { size, framesPerCode }, call }: {
    readonly plan: ClipPlan;
    readonly call: PictureCall;
  },
): Promise<CodeClip> {
  const stills = framesPerCode !== vision.framesPerCode;
  const parts: CodeGrid[] = [];
  for (let start = 0; start < frames.length; start += framesPerCode) {
    call.signal.throwIfAborted();
    const part: RgbImage[] = [];
    for (const frame of frames.slice(start, start + framesPerCode)) {
      const fits = frame.height === size.height && frame.width === size.width;
      part.push(fits ? frame : await codec.resize(frame, size, call));
    }
    while (part.length < framesPerCode) part.push(part.at(-1)!);
    parts.push(
      stills
        ? await vision.encode(part[0]!, call.signal, call.caller)
        : await vision.encodeClip(part, call.signal, call.caller),
    );
  }
  const { height, width } = parts[0]!;
  const codes = new Uint16Array(parts.length * height * width);
  parts.forEach((part, i) => codes.set(part.codes, i * height * width));
  return {
    frames: parts.length,
    height,
    width,
    ...(stills && { framesPerCode }),
    codes,
  };
}

/** Returns the size with fewer pixels; `one` if they are equal. */
function smaller(other: PixelSize, one: PixelSize): PixelSize {
  return other.height * other.width < one.height * one.width ? other : one;
}
