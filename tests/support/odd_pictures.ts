/**
 * The odd pictures: readable files that deviate from their specification.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { RgbImage } from "../../lib/image/image.ts";
import { goldenPath } from "./golden.ts";

/** A readable file that violates its specification. */
export interface OddPicture {
  /** Oddity, with the suffix. */
  readonly name: string;
  /** Contents of the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Levels in reference mode, by construction. */
  readonly picture: RgbImage;
  /** Levels in display mode, if they are rotated or of another frame. */
  readonly shown?: RgbImage;
  /** Reason for Pillow to read it differently, or not at all. */
  readonly unlikePillow?: string;
}

/** Reads a source picture of the preprocessing goldens. */
export function sourcePicture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(goldenPath(`preprocess/${name}`));
}

/** Writes a PNG whose header states a size and whose data is empty. */
export function pngHeader(
  height: number,
  width: number,
): Uint8Array<ArrayBuffer> {
  const png = sourcePicture("geo_tiny8_8x8.png");
  const view = new DataView(png.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  view.setUint32(29, crc32(png.subarray(12, 29)));
  return png;
}
