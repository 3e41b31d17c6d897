/**
 * The APNG: PNGs of one size, joined into an animation.
 *
 * ```text
 * IHDR │ acTL │ iTXt… │ fcTL │ IDAT │ fcTL │ fdAT │ … │ IEND
 * ```
 *
 * The deflated rows of the PNGs are moved, not encoded again, so that no two
 * frames of pixels exist at once. Source: W3C PNG, third edition.
 *
 * @module
 */

import { joinBytes } from "../format/join_bytes.ts";
import { type PngOptions, textChunks, uint32s } from "../encode_png.ts";
import { readChunks, writeChunks } from "../format/png.ts";
import type { PngChunk } from "../format/png_metadata.ts";
import { type AnimationOptions, checkFrameRate } from "../image.ts";

/**
 * Returns an APNG of PNGs by `encodePng()`, which loops forever.
 *
 * @throws {RangeError} If there is no PNG, sizes differ or the rate is out of
 * range.
 */
export function joinPngs(
  pngs: readonly Uint8Array[],
  options: AnimationOptions & PngOptions,
): Uint8Array {
  checkFrameRate(options);
  const files = pngs.map(readChunks);
  const header = files[0]?.[0];
  if (header === undefined) {
    throw new RangeError("an animation needs at least one frame");
  }
  let sequence = 0;
  const chunks = files.flatMap(([shape, ...others], i): PngChunk[] => {
    if (!equal(shape!.data, header.data)) {
      throw new RangeError(
        "all frames of an animation must have the same size",
      );
    }
    const control = frameControl(header.data, sequence++, options);
    const rows = others.filter(({ type }) => type === "IDAT")
      .map(({ type, data }) =>
        i === 0
          ? { type, data }
          : { type: "fdAT", data: joinBytes([uint32s(sequence++), data]) }
      );
    return [control, ...rows];
  });
  return writeChunks([
    header,
    { type: "acTL", data: uint32s(pngs.length, 0) },
    ...textChunks(options.text ?? {}),
    ...chunks,
    { type: "IEND", data: new Uint8Array() },
  ]);
}

function frameControl(
  header: Uint8Array,
  sequence: number,
  { framesPerSecond }: AnimationOptions,
): PngChunk {
  const data = new Uint8Array(26);
  data.set(uint32s(sequence));
  // Width and height as in IHDR; no offset.
  data.set(header.subarray(0, 8), 4);
  // Seconds per frame as a fraction of 16-bit numbers; disposal: keep; blend:
  // replace.
  const view = new DataView(data.buffer);
  view.setUint16(20, 100);
  view.setUint16(22, Math.round(100 * framesPerSecond));
  return { type: "fcTL", data };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
