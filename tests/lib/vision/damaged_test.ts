/** Files that are truncated or changed: refused with a class, or read whole. */

import { rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ImageError, ImageTooLargeError } from "../../../lib/errors.ts";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import { goldenBytes } from "../../support/pictures.ts";

const files = [
  "preprocess/rgb.png",
  "preprocess/rgb_interlaced.png",
  "preprocess/p_trns.png",
  "preprocess/gray16.png",
  "preprocess/baseline_420.jpg",
  "preprocess/progressive.jpg",
  "preprocess/cmyk.jpg",
  "preprocess/still.gif",
  "preprocess/animated.gif",
  "preprocess/lossless.webp",
  "preprocess/lossy.webp",
  "preprocess/alpha.webp",
  "animation/apng.png",
  "animation/animated.webp",
].map((name) => ({ name, bytes: goldenBytes(name) }));

const options = { decode: "display", maxPixels: 100_000 } as const;

Deno.test("decodeFrames() refuses a file that is truncated", async () => {
  for (const { name, bytes } of files) {
    // The last bytes are a trailer or a checksum that readers do not need.
    for (let part = 0; part < 24; part++) {
      const length = Math.floor((bytes.length - 20) * part / 24);
      await rejects(
        decodeFrames(bytes.slice(0, length), options),
        ImageError,
        `${name} cut to ${length}`,
      );
    }
  }
});

Deno.test("decodeFrames() reads or refuses a file with changed bytes", async () => {
  const change = fc.record({
    file: fc.constantFrom(...files),
    at: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    mask: fc.integer({ min: 1, max: 255 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ file, at, mask }) => {
      const bytes = file.bytes.slice();
      for (const i of at) bytes[i % bytes.length]! ^= mask;
      await isWholeOrRefused(bytes);
    }),
    { numRuns: 600 },
  );
});

Deno.test("decodeFrames() reads or refuses a file with bytes left out", async () => {
  const change = fc.record({
    file: fc.constantFrom(...files),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ file: { bytes }, at, length }) => {
      const start = at % bytes.length;
      const kept = [
        ...bytes.subarray(0, start),
        ...bytes.subarray(start + length),
      ];
      await isWholeOrRefused(Uint8Array.from(kept));
    }),
    { numRuns: 300 },
  );
});

async function isWholeOrRefused(bytes: Uint8Array): Promise<void> {
  for (const decode of ["display", "reference"] as const) {
    try {
      const image = await decodeImage(bytes, { ...options, decode });
      strictEqual(image.pixels.length, image.height * image.width * 3);
    } catch (error) {
      if (error instanceof ImageError || error instanceof ImageTooLargeError) {
        continue;
      }
      throw error;
    }
  }
  try {
    await decodeFrames(bytes, options);
  } catch (error) {
    if (error instanceof ImageError || error instanceof ImageTooLargeError) {
      return;
    }
    throw error;
  }
}
