/**
 * The interface of the codec between pictures and bytes.
 *
 * {@linkcode inPlaceCodec} runs on the calling thread and blocks it; the pool
 * of `picture_pool.ts` has the same methods and runs them on other threads.
 *
 * @module
 */

import type { AnimationOptions, PixelSize, RgbImage } from "./image.ts";
import { encodeGif, encodeJpeg } from "./codec/imagescript.ts";
import { encodeWebp } from "./codec/webp.ts";
import {
  decodeFrames,
  type DecodeFramesOptions,
  decodeImage,
  type DecodeOptions,
} from "./decode.ts";
import { encodePng, type PngOptions } from "./encode_png.ts";
import { resizeBicubic } from "./resize.ts";

/** Options of a call of the codec. */
export interface CodecCall {
  /** Signal that ends the call. */
  readonly signal?: AbortSignal | undefined;
  /** The caller that the call is queued for; all calls share one by default. */
  readonly caller?: string | undefined;
}

/**
 * Decodes and encodes pictures. Pixels passed in are copied, never changed.
 *
 * A call whose signal aborts leaves the queue, or is abandoned if it runs, and
 * rejects with the signal's reason.
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
  /** Resizes by bicubic interpolation, as Pillow does. */
  resize(
    image: RgbImage,
    size: PixelSize,
    call?: CodecCall,
  ): Promise<RgbImage>;
  /** Encodes a PNG, lossless. */
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
  /** Encodes a WebP; quality 1–100, or undefined for lossless. */
  encodeWebp(
    image: RgbImage,
    options: { readonly quality: number | undefined },
    call?: CodecCall,
  ): Promise<Uint8Array>;
  /** Encodes a GIF of one frame, at most 256 colors. */
  encodeGif(
    image: RgbImage,
    options: AnimationOptions,
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
  encodeGif,
};

/**
 * Returns the result as a promise; an error becomes a rejection, as in a
 * worker.
 */
function promise<T>(compute: () => T): Promise<T> {
  return new Promise((resolve) => resolve(compute()));
}
