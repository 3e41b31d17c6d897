/**
 * The adapter of libwebp: still WebP, lossy and lossless, in both directions.
 *
 * It is loaded on first use, and again after a trap, since a trapped instance
 * is in an unknown state.
 *
 * @module
 */

import type { RgbImage } from "../image.ts";
import { type RgbaImage, withAlpha } from "../rgba.ts";
import { compileWasm, loadCodec } from "./load.ts";

/** Decodes a still WebP. */
export async function decodeWebp(bytes: Uint8Array): Promise<RgbaImage> {
  const { default: decode, init } = await loadCodec(
    "@jsquash/webp",
    () => import("@jsquash/webp/decode.js"),
  );
  compiled ??= loadCodec(
    "@jsquash/webp",
    () => compileWasm("@jsquash/webp/codec/dec/webp_dec.wasm"),
  );
  await init(await compiled);
  const { height, width, data } = await decode(bytes.slice().buffer);
  return { height, width, pixels: new Uint8ClampedArray(data) };
}

/**
 * Encodes a still WebP.
 *
 * @throws {RangeError} If the quality is out of range.
 */
export async function encodeWebp(
  image: RgbImage,
  options: {
    /** Quality, 1–100; undefined for lossless. */
    readonly quality: number | undefined;
  },
): Promise<Uint8Array> {
  const { quality } = options;
  const { height, width } = image;
  const whole = quality === undefined || Number.isInteger(quality);
  if (!whole || quality !== undefined && (quality < 1 || quality > 100)) {
    throw new RangeError(
      `expected a quality from 1 to 100, a whole number, not ${quality}`,
    );
  }
  const { default: encode, init } = await loadCodec(
    "@jsquash/webp",
    () => import("@jsquash/webp/encode.js"),
  );
  encoder ??= loadCodec(
    "@jsquash/webp",
    () => compileWasm("@jsquash/webp/codec/enc/webp_enc_simd.wasm"),
  );
  // Its type omits the module parameter, which it accepts.
  await (init as (module: WebAssembly.Module) => Promise<unknown>)(
    await encoder,
  );
  const data = new Uint8ClampedArray(withAlpha(image).pixels);
  const pixels = { data, height, width, colorSpace: "srgb" } as ImageData;
  const loss = quality === undefined ? { lossless: 1 } : { quality };
  return new Uint8Array(await encode(pixels, loss));
}

let encoder: Promise<WebAssembly.Module> | undefined;

let compiled: Promise<WebAssembly.Module> | undefined;
