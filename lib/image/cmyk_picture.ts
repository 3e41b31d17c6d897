/**
 * CMYK and YCCK JPEG → pixels, as libjpeg and Pillow have them to the bit.
 *
 * ```text
 * scans ─▶ samples of four components ─ YCCK: YCC → CMY ─▶ CMYK ─▶ RGB
 * ```
 *
 * Inks are stored inverted, as Adobe does and everybody after it, with its marker or
 * without. Own code: mozjpeg's build here refuses four components; ImageScript's decoder
 * refuses those without a marker, and differs by up to three levels.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { readJpegScans } from "./format/jpeg_scans.ts";
import { type SamplePlane, samplesOf, upsample } from "./jpeg_samples.ts";
import type { RgbaImage } from "./rgba.ts";

/**
 * Decodes a JPEG of four components.
 *
 * @throws {ImageError} When it is damaged or cut short, or of another process than
 * baseline and progressive.
 */
export function decodeCmykJpeg(bytes: Uint8Array): RgbaImage {
  const { height, width, components, adobeTransform } = readJpegScans(bytes);
  const across = Math.max(...components.map(({ horizontal }) => horizontal));
  const down = Math.max(...components.map(({ vertical }) => vertical));
  const planes = components.map((component) => {
    const { horizontal, vertical } = component;
    if (across % horizontal !== 0 || down % vertical !== 0) {
      throw new ImageError(
        "the JPEG has sampling factors that are no multiples: save it again",
      );
    }
    const size = {
      height: Math.ceil(height * vertical / down),
      width: Math.ceil(width * horizontal / across),
    };
    const plane = samplesOf(component, size);
    return upsample(plane, across / horizontal, down / vertical);
  });
  const [first, second, third, black] = planes;
  if (black === undefined) {
    throw new TypeError("a CMYK JPEG has four components");
  }
  const pixels = new Uint8ClampedArray(height * width * 4);
  const inks = [first!, second!, third!, black] as const;
  const isYcck = adobeTransform !== undefined && adobeTransform !== 0;
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(4 * y * width, 4 * (y + 1) * width);
    colorize(inks, y, { row, isYcck });
  }
  return { height, width, pixels };
}

type Inks = readonly [SamplePlane, SamplePlane, SamplePlane, SamplePlane];

/** @param target Its row, `[width, 4]`, is overwritten. */
function colorize(
  inks: Inks,
  y: number,
  target: { readonly row: Uint8ClampedArray; readonly isYcck: boolean },
): void {
  const { row, isYcck } = target;
  const [first, second, third, black] = inks.map(({ samples, stride }) =>
    samples.subarray(y * stride)
  );
  for (let x = 0; 4 * x < row.length; x++) {
    const luma = first![x]!;
    const blue = second![x]! - 128;
    const red = third![x]! - 128;
    const key = black![x]!;
    const at = 4 * x;
    if (isYcck) {
      // Libjpeg's constants, times 2 ** 16; the array clips.
      row[at] = 255 - (luma + ((91881 * red + 32768) >> 16));
      row[at + 1] = 255 -
        (luma + ((-22554 * blue - 46802 * red + 32768) >> 16));
      row[at + 2] = 255 - (luma + ((116130 * blue + 32768) >> 16));
    } else {
      row[at] = luma;
      row[at + 1] = second![x]!;
      row[at + 2] = third![x]!;
    }
    for (let c = at; c < at + 3; c++) {
      // Pillow's: black less its product with the ink, divided by 255 and rounded.
      const product = (255 - row[c]!) * key + 128;
      row[c] = key - ((product + (product >> 8)) >> 8);
    }
    row[at + 3] = 255;
  }
}
