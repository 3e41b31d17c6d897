/**
 * Everything that turns pictures into bytes and back, as one interface.
 *
 * {@linkcode inPlaceCodec} does it where it is called and so blocks its
 * thread; `picture_pool.ts` has the same methods and does it elsewhere.
 *
 * @module
 */

import type { AnimationOptions } from "./animation.ts";
import { encodeGif, encodeJpeg } from "./codec/imagescript.ts";
import { encodeWebp } from "./codec/webp.ts";
import { zip } from "./codec/zip.ts";
import {
  decodeFrames,
  type DecodeFramesOptions,
  decodeImage,
  type DecodeOptions,
} from "./decode.ts";
import { encodeApng, encodePng, type PngOptions } from "./encode_png.ts";
import type { PixelSize, RgbImage } from "./image.ts";
import { resizeBicubic } from "./resize.ts";

/** The request that a method of the codec is called for. */
export interface CodecCall {
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
  /** The caller that waits its turn among others; all are one by default. */
  readonly caller?: string | undefined;
}

/**
 * Pictures in and out. Pixels handed in are copied, never changed.
 *
 * A call whose signal aborts leaves the queue, or is given up where it runs,
 * and fails with the signal's reason.
 */
export interface PictureCodec {
  /** Decodes the picture, or the first frame of an animation. */
  decodeImage(
    bytes: Uint8Array,
    options: DecodeOptions,
    call?: CodecCall,
  ): Promise<RgbImage>;
  /** Decodes all frames of an animation; a still picture gives one. */
  decodeFrames(
    bytes: Uint8Array,
    options: DecodeFramesOptions,
    call?: CodecCall,
  ): Promise<RgbImage[]>;
  /** Resizes by bicubic interpolation, as Pillow does it. */
  resize(
    image: RgbImage,
    size: PixelSize,
    call?: CodecCall,
  ): Promise<RgbImage>;
  /** Encodes a PNG, without loss. */
  encodePng(
    image: RgbImage,
    options: PngOptions,
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Encodes a JPEG; quality 1–100. */
  encodeJpeg(
    image: RgbImage,
    options: { readonly quality: number },
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Encodes a WebP; quality 1–100, or without loss where it is undefined. */
  encodeWebp(
    image: RgbImage,
    options: { readonly quality: number | undefined },
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Encodes an animated PNG, without loss; frames of one size. */
  encodeApng(
    frames: readonly RgbImage[],
    options: AnimationOptions & PngOptions,
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Encodes an animated GIF, 256 colors a frame; frames of one size. */
  encodeGif(
    frames: readonly RgbImage[],
    options: AnimationOptions,
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Writes a ZIP of PNGs, `frame_0000.png` and on. */
  zipPngs(
    frames: readonly RgbImage[],
    call?: CodecCall,
  ): Promise<Uint8Array>;
}

/** The codec on the caller's own thread. */
export const inPlaceCodec: PictureCodec = {
  decodeImage,
  decodeFrames,
  resize: (image, size) => promise(() => resizeBicubic(image, size)),
  encodePng: (image, options) => promise(() => encodePng(image, options)),
  encodeJpeg,
  encodeWebp,
  encodeApng: (frames, options) => promise(() => encodeApng(frames, options)),
  encodeGif,
  zipPngs: async (frames) => {
    const files: Record<string, Uint8Array> = {};
    for (const [i, frame] of frames.entries()) {
      files[`frame_${`${i}`.padStart(4, "0")}.png`] = encodePng(frame, {});
    }
    return await zip(files);
  },
};

/** What `compute` throws becomes a rejection, as it does in a worker. */
function promise<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => resolve(compute()));
}
