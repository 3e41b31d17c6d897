/**
 * The memory cost of pictures, in bytes, estimated from their headers: the
 * amounts that a request takes from the budget before decoding.
 *
 * ```text
 * decode   bytes per pixel of the type × canvas, and the frames that are kept
 * encode   RGB and floats of one input of the vision tokenizer
 * render   floats and RGB of its output, and the copies of a file's encoder
 * ```
 *
 * The numbers are peaks of a fresh process over pictures of 4 to 64 million
 * pixels, rounded up: 7.3 to 8.6 bytes a pixel for PNG, 16.9 for baseline JPEG
 * and 22.9 for progressive, 22.6 for lossless WebP (16.7 for lossy), 7.1 to
 * 10.2 for GIF. Activations of the vision tokenizer are excluded: one picture
 * runs at a time. ffmpeg takes 60 MB, and 24 to 32 bytes a pixel for H.264 with
 * 4 to 8 reference frames; up to 16 are possible.
 *
 * @module
 */

import type { PictureHeader, PictureType } from "./header.ts";
import type { PixelSize } from "./image.ts";

/**
 * Bytes that a codec takes for each pixel of the canvas: its own memory, RGBA
 * copies and RGB. A progressive JPEG adds its coefficients, 2 bytes for each of
 * up to 4 channels.
 */
const DECODE_BYTES: Readonly<Record<PictureType, number>> = {
  png: 10,
  jpeg: 28,
  gif: 12,
  webp: 24,
};

/** The maximum bytes of decoding for each pixel, of any type. */
export const MAX_DECODE_BYTES_PER_PIXEL: number = Math.max(
  ...Object.values(DECODE_BYTES),
);

/**
 * Bytes for each pixel of an animation in addition to the canvas: RGBA and RGB.
 */
const FRAME_BYTES = 12;

/**
 * Copies of the file: the upload, the message to the thread, the chunks, the
 * codec's input.
 */
const FILE_COPIES = 4;

/** Bytes of an eight-bit RGB pixel. */
const RGB_BYTES = 3;

/** Bytes of a pixel in RGB and in the floats that the encoder reads. */
const ENCODE_BYTES = 16;

/**
 * Bytes of a pixel in floats, RGB, and the copies of an encoder of PNG or JPEG
 * and of its file.
 */
const RENDER_BYTES = 32;

/**
 * Bytes of a clip's pixel in its file, of which two copies exist while its
 * frames are joined: noise has 3 bytes a pixel as PNG.
 */
const CLIP_FILE_BYTES = 6;

/**
 * Bytes that ffmpeg takes for each pixel of a video: the frames that others
 * refer to, those of each thread, RGB.
 */
const VIDEO_BYTES = 64;

/** The maximum pixels of a video's frame, more than those of 4K. */
const MAX_VIDEO_PIXELS = 2 ** 24;

/** Bytes that ffmpeg takes beside its frames. */
const PROGRAM_BYTES = 2 ** 26;

/** The peak memory of reading the header of a video. */
export const PROBE_BYTES: number = 2 * PROGRAM_BYTES;

/** The minimum cost of a request, which bounds the number of requests. */
const MIN_BYTES = 2 ** 21;

/** A file to decode. */
export interface DecodeWork {
  /** Header of the file. */
  readonly header: PictureHeader;
  /** Length of the file in bytes. */
  readonly fileBytes: number;
  /** Number of frames that are decoded. */
  readonly frames: number;
}

/** Returns the peak memory of decoding a file and resizing it to `size`. */
export function decodeCost(
  { header, fileBytes, frames }: DecodeWork,
  size: PixelSize,
): number {
  const canvas = area(header);
  const animation = frames === 1 ? 0 : FRAME_BYTES * frames * canvas;
  return atLeast(
    DECODE_BYTES[header.type] * canvas + animation +
      FILE_COPIES * fileBytes + 2 * RGB_BYTES * area(size),
  );
}

/**
 * Returns the peak memory of decoding a video frame by frame and resizing to
 * `size`. Its file is copied once, and may be held in memory.
 */
export function videoCost(
  source: PixelSize,
  fileBytes: number,
  size: PixelSize,
): number {
  return PROGRAM_BYTES + VIDEO_BYTES * area(source) +
    FILE_COPIES * fileBytes + 2 * RGB_BYTES * area(size);
}

/**
 * Returns the maximum pixels of a video's frame: a video takes no more memory
 * than the largest picture.
 *
 * @param maxPixels Maximum pixels of a picture.
 */
export function maxVideoPixels(maxPixels: number): number {
  const fitting = MAX_DECODE_BYTES_PER_PIXEL * maxPixels / VIDEO_BYTES;
  return Math.min(MAX_VIDEO_PIXELS, Math.floor(fitting));
}

/** Returns the bytes of `frames` waiting decoded frames of `size`. */
export function heldCost(size: PixelSize, frames: number): number {
  return RGB_BYTES * frames * area(size);
}

/**
 * Returns the bytes of encoding `frames` held frames of `size` into codes, one
 * after the other.
 */
export function encodeCost(size: PixelSize, frames: number): number {
  return atLeast(ENCODE_BYTES * area(size)) + heldCost(size, frames - 1);
}

/**
 * Returns the peak memory of decoding codes into a picture of `size` and
 * encoding its file.
 */
export function renderCost(size: PixelSize): number {
  return atLeast(RENDER_BYTES * area(size));
}

/**
 * Returns the peak memory of a clip of `frames` frames, each of which is decoded
 * and encoded before the next one.
 */
export function renderClipCost(size: PixelSize, frames: number): number {
  return atLeast((CLIP_FILE_BYTES * frames + RENDER_BYTES) * area(size));
}

/**
 * Returns the maximum pixels of a clip, all frames together: its file takes no
 * more memory than the largest picture.
 *
 * @param maxPixels Maximum pixels of a picture.
 */
export function maxClipPixels(maxPixels: number): number {
  return Math.floor(MAX_DECODE_BYTES_PER_PIXEL * maxPixels / CLIP_FILE_BYTES);
}

function atLeast(bytes: number): number {
  return Math.max(MIN_BYTES, bytes);
}

function area({ height, width }: PixelSize): number {
  return height * width;
}
