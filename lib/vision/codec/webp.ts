/**
 * The one door to libwebp: still WebP, lossy and lossless.
 *
 * Loaded on first use, and again after a trap, since a trapped instance is in
 * an unknown state.
 *
 * @module
 */

import type { RgbaImage } from "../rgba.ts";
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

let compiled: Promise<WebAssembly.Module> | undefined;
