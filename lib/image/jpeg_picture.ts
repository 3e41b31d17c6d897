/**
 * The decoder of JPEG pictures.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { decodeJpeg } from "./codec/jpeg.ts";
import {
  type JpegLayout,
  readJpegLayout,
  withoutTrailingSegments,
} from "./format/jpeg.ts";
import { decodeCmykJpeg, needsOwnDecoder } from "./cmyk_jpeg.ts";
import type { RgbaImage } from "./rgba.ts";

/** Decodes a JPEG as it is stored, bit-identical to libjpeg and Pillow. */
export async function decodeJpegPicture(
  bytes: Uint8Array,
): Promise<RgbaImage> {
  const layout = readJpegLayout(bytes);
  const { height, heightOffset, heightIsLate } = layout;
  if (!heightIsLate) return await decodeScans(bytes, layout);
  // Libjpeg does not support DNL, so the height is written to the frame header.
  const patched = bytes.slice();
  new DataView(patched.buffer).setUint16(heightOffset, height);
  return await decodeScans(patched, layout);
}

/** Decodes a JPEG whose segments after the scans may be damaged. */
async function decodeScans(
  bytes: Uint8Array,
  layout: JpegLayout,
): Promise<RgbaImage> {
  if (needsOwnDecoder(layout)) return decodeCmykJpeg(bytes);
  try {
    return await decodeJpeg(bytes, layout);
  } catch (error) {
    const kept = withoutTrailingSegments(bytes);
    if (!(error instanceof ImageError) || kept === undefined) throw error;
    // The first error is more specific if the scans are damaged as well.
    return await decodeJpeg(kept, layout).catch(() => {
      throw error;
    });
  }
}
