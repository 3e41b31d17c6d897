/**
 * JPEG → pixels.
 *
 * @module
 */

import { decodeStill } from "./codec/imagescript.ts";
import { decodeJpeg } from "./codec/jpeg.ts";
import { readJpegLayout } from "./format/jpeg.ts";
import type { RgbaImage } from "./rgba.ts";

/** Components of CMYK and YCCK. */
const CMYK = 4;

/**
 * Decodes a JPEG as it is stored: gray and color to the bit as libjpeg does, CMYK
 * within two levels of Pillow.
 */
export async function decodeJpegPicture(
  bytes: Uint8Array,
): Promise<RgbaImage> {
  const layout = readJpegLayout(bytes);
  const { components, height, heightOffset, heightIsLate } = layout;
  if (components === CMYK) return await decodeStill(bytes);
  if (!heightIsLate) return await decodeJpeg(bytes, layout);
  // Libjpeg knows no DNL: the height goes to where it usually stands.
  const patched = bytes.slice();
  new DataView(patched.buffer).setUint16(heightOffset, height);
  return await decodeJpeg(patched, layout);
}
