/**
 * Pictures for tests that nobody would draw.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { RgbImage } from "../../lib/image/image.ts";
import { goldenPath } from "./golden.ts";

/** A readable file that is not as its specification has it. */
export interface OddPicture {
  /** Its oddity and its suffix. */
  readonly name: string;
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its levels in reference mode, by construction. */
  readonly picture: RgbImage;
  /** Its levels in display mode, where they are those turned, or of another frame. */
  readonly shown?: RgbImage;
  /** The reason for Pillow to read it otherwise, or not at all. */
  readonly unlikePillow?: string;
}

/** A source picture of the preprocessing goldens. */
export function sourcePicture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(goldenPath(`preprocess/${name}`));
}

/** A PNG whose header says one size and whose data holds nothing. */
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
