/**
 * The clip encoder: an animation, a video, or several files of one size →
 * codes.
 *
 * ```text
 * frames ─▶ size ─▶ limits ─▶ share ─▶ a few frames at a time ─▶ codes
 * ```
 *
 * @module
 */

import type { Share } from "../../../lib/async/budget.ts";
import { ImageTooLargeError } from "../../../lib/errors.ts";
import type { CodeClip, CodeGrid } from "../../../lib/grid.ts";
import type { PixelSize, RgbImage } from "../../../lib/image/image.ts";
import { encodeCost } from "../../../lib/image/pixel_cost.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { Stopwatch } from "../../http/server_timing.ts";
import type { Tools, VisionModel } from "../../models/ports.ts";
import type { VideoPart } from "../../schema/video.ts";
import { type ClipFrames, openClipFrames } from "../video/clip_frames.ts";
import { fittedSize, type PrepareOptions } from "../encode_image.ts";
import { acquirePixels, type PictureCall } from "../pixel_budget.ts";

/** Options of {@linkcode encodeClip}. */
export interface ClipOptions extends Pick<PrepareOptions, "decode"> {
  /** Size of the encoded frames, or a function of that of the decoded ones. */
  readonly resize:
    | PrepareOptions["resize"]
    | ((source: PixelSize) => PixelSize);
  /**
   * True to encode all frames of one file; false to encode the first frame of
   * each file.
   */
  readonly animation: boolean;
  /** True to repeat the last frame until a code frame is full. */
  readonly pad: boolean;
  /** Part of a video; the whole by default. */
  readonly part?: VideoPart | undefined;
  /** Number of last frames to encode; all by default. */
  readonly last?: number | undefined;
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
  /** Frames per second that were taken from a video. */
  readonly framesPerSecond?: number | undefined;
  /** Milliseconds of encoding, without decoding. */
  readonly visionMs: number;
}

/**
 * Encodes the frames of `files`: one animation or video, or stills. The last
 * frames of a video that do not fill a code frame are left out, unless they are
 * padded.
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
  await using clip = await openClipFrames(tools, files, { ...options, call });
  const { source } = clip;
  const { resize, stills = false, pad, pointer } = options;
  const size = fittedSize(source, vision, {
    resize: typeof resize === "function" ? resize(source) : resize,
  }, tools.limits);
  const framesPerCode = stills ? 1 : vision.framesPerCode;
  if (clip.count !== undefined) {
    checkCount(clip.count, { framesPerCode, pad, pointer });
    checkEncodedPixels(clip.count, size, { framesPerCode, tools });
  }
  const atOnce = encodeCost(size, framesPerCode);
  using share = await acquirePixels(tools, clip.cost(size) + atOnce, call);
  const watch = new Stopwatch();
  const encode = (frames: readonly RgbImage[]) =>
    watch.run(() => encodeTogether(vision, frames, { stills, call }));
  const groups = grouped(framesOf(clip, size, { share, atOnce }), {
    length: framesPerCode,
    pad,
  });
  const parts: CodeGrid[] = [];
  for await (const group of groups) parts.push(await encode(group));
  if (parts.length === 0) {
    throw invalidField(
      pointer ?? "/image",
      `the part of the video has fewer than ${framesPerCode} frames: set a higher fps, a longer part, or "pad": "repeat"`,
    );
  }
  const codes = joined(parts, stills);
  const { framesPerSecond } = clip;
  return { codes, source, size, framesPerSecond, visionMs: watch.milliseconds };
}

/** Returns the frames, and keeps only the share that they take. */
function framesOf(
  clip: ClipFrames,
  size: PixelSize,
  { share, atOnce }: { readonly share: Share; readonly atOnce: number },
): AsyncIterable<RgbImage> {
  return clip.frames(size, (bytes) => share.shrink(bytes + atOnce));
}

function checkCount(
  count: number,
  { framesPerCode, pad, pointer = "/frames" }: {
    readonly framesPerCode: number;
    readonly pad: boolean;
    readonly pointer: string | undefined;
  },
): void {
  if (count % framesPerCode === 0 || pad) return;
  throw invalidField(
    pointer,
    `${count} frames are not a multiple of ${framesPerCode}: send more or fewer, or set "pad": "repeat"`,
  );
}

function checkEncodedPixels(
  count: number,
  size: PixelSize,
  { framesPerCode, tools: { limits: { maxPixels } } }: {
    readonly framesPerCode: number;
    readonly tools: Tools;
  },
): void {
  const encoded = Math.ceil(count / framesPerCode) * framesPerCode *
    size.height * size.width;
  if (encoded <= maxPixels) return;
  throw new ImageTooLargeError(
    `${count} frames have ${encoded} pixels once they are resized to ${size.height} × ${size.width}, at most ${maxPixels} become codes: send fewer`,
  );
}

/** Yields `length` frames at a time; a rest is padded or left out. */
async function* grouped(
  frames: AsyncIterable<RgbImage>,
  { length, pad }: { readonly length: number; readonly pad: boolean },
): AsyncGenerator<readonly RgbImage[]> {
  let group: RgbImage[] = [];
  for await (const frame of frames) {
    group.push(frame);
    if (group.length < length) continue;
    yield group;
    group = [];
  }
  if (group.length === 0 || !pad) return;
  while (group.length < length) group.push(group.at(-1)!);
  yield group;
}

/** Encodes frames to one frame of codes; code frames are independent. */
async function encodeTogether(
  vision: VisionModel,
  frames: readonly RgbImage[],
  { stills, call: { signal, caller } }: {
    readonly stills: boolean;
    readonly call: PictureCall;
  },
): Promise<CodeGrid> {
  signal.throwIfAborted();
  return stills
    ? await vision.encode(frames[0]!, signal, caller)
    : await vision.encodeClip(frames, signal, caller);
}

function joined(
  parts: readonly CodeGrid[],
  stills: boolean,
): CodeClip {
  const { height, width } = parts[0]!;
  const codes = new Uint16Array(parts.length * height * width);
  parts.forEach((part, i) => codes.set(part.codes, i * height * width));
  return {
    frames: parts.length,
    height,
    width,
    ...(stills && { framesPerCode: 1 }),
    codes,
  };
}
