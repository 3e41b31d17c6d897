// deno-lint-ignore-file camelcase -- the golden files' own keys
import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  EMU3_NORMALIZATION,
  imageFromPixelValues,
  pixelValues,
} from "../../../lib/vision/pixels.ts";
import { resizeBicubic } from "../../../lib/image/resize.ts";
import {
  anyImage,
  goldenImage,
  goldenJson,
  maxLevelDifference,
} from "../../support/pictures.ts";
import { float32, readSafetensors } from "../../support/safetensors.ts";

const tensors = readSafetensors(
  new URL("../../golden/vq.safetensors", import.meta.url),
);

interface Still {
  name: string;
  file: string;
  decoded: string;
  resized_hw: [number, number];
}

interface Clip {
  name: string;
  dir: string;
  frames: number;
  resized_hw: [number, number];
}

const { images, clips }: { images: Still[]; clips: Clip[] } = goldenJson(
  "vq.json",
);

Deno.test("pixelValues() equals the reference's to the bit on stills", async () => {
  for (const { name, file, resized_hw } of images) {
    const [height, width] = resized_hw;
    const image = resizeBicubic(await goldenImage(file), { height, width });
    const expected = float32(tensors, `${name}.pixel_values`);
    strictEqual(
      firstDifference(pixelValues(image, EMU3_NORMALIZATION), expected),
      -1,
      name,
    );
  }
});

Deno.test("pixelValues() equals the reference's to the bit on clips", async () => {
  for (const { name, dir, frames, resized_hw } of clips) {
    const [height, width] = resized_hw;
    const all = float32(tensors, `${name}.pixel_values`);
    const length = 3 * height * width;
    for (let t = 0; t < frames; t++) {
      const frame = await goldenImage(`${dir}/${`${t}`.padStart(2, "0")}.png`);
      const image = resizeBicubic(frame, { height, width });
      const expected = all.subarray(t * length, (t + 1) * length);
      strictEqual(
        firstDifference(pixelValues(image, EMU3_NORMALIZATION), expected),
        -1,
        `${name} ${t}`,
      );
    }
  }
});

Deno.test("imageFromPixelValues() returns the reference's picture on stills", async () => {
  for (const { name, decoded } of images) {
    const expected = await goldenImage(decoded);
    const values = float32(tensors, `${name}.decoded`);
    const image = imageFromPixelValues(values, expected, EMU3_NORMALIZATION);
    strictEqual(maxLevelDifference(image, expected), 0, name);
  }
});

Deno.test("imageFromPixelValues() returns the reference's picture on clips", async () => {
  for (const { name, dir, frames, resized_hw } of clips) {
    const [height, width] = resized_hw;
    const all = float32(tensors, `${name}.chunk_decoded`);
    const length = 3 * height * width;
    for (let t = 0; t < frames; t++) {
      const expected = await goldenImage(
        `${dir}/${`${t}`.padStart(2, "0")}.chunk.png`,
      );
      const values = all.subarray(t * length, (t + 1) * length);
      const image = imageFromPixelValues(values, expected, EMU3_NORMALIZATION);
      strictEqual(maxLevelDifference(image, expected), 0, `${name} ${t}`);
    }
  }
});

Deno.test("imageFromPixelValues() inverts pixelValues() to within a level", () => {
  fc.assert(fc.property(anyImage(8), (image) => {
    const values = pixelValues(image, EMU3_NORMALIZATION);
    const back = imageFromPixelValues(values, image, EMU3_NORMALIZATION);
    // Truncation: a value slightly below its level loses it.
    ok(maxLevelDifference(back, image) <= 1);
  }));
});

Deno.test("imageFromPixelValues() clips values outside of the range", () => {
  const values = Float32Array.of(-3, 0, 3);
  const { pixels } = imageFromPixelValues(
    values,
    { height: 1, width: 1 },
    EMU3_NORMALIZATION,
  );
  strictEqual(`${pixels}`, "0,127,255");
});

Deno.test("imageFromPixelValues() refuses values of another size", () => {
  const size = { height: 2, width: 2 };
  throws(
    () => imageFromPixelValues(new Float32Array(3), size, EMU3_NORMALIZATION),
    RangeError,
  );
});

/** Returns the index of the first difference; −1 if there is none. */
function firstDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return 0;
  return actual.findIndex((value, i) => !Object.is(value, expected[i]));
}
