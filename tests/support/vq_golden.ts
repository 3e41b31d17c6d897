/**
 * The golden values of the vision tokenizer, for pictures and clips.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import type { RgbImage } from "../../lib/image/image.ts";
import { goldenJson } from "./golden.ts";
import { float32, readSafetensors } from "./safetensors.ts";
import { GOLDEN } from "./tiny.ts";

/** Golden tensors. */
export const golden = readSafetensors(new URL("vq.safetensors", GOLDEN));

interface Cases {
  readonly images: readonly { name: string; resized_hw: [number, number] }[];
  readonly clips: readonly { name: string; resized_hw: [number, number] }[];
}

/** Names and sizes of the cases. */
export const { images, clips } = goldenJson<Cases>("vq.json");

/** Margin of distances within which two codebook entries count as a tie. */
export const CODE_MARGIN = 1e-3;

/** Returns the picture whose pixel values are `values` `[3, H, W]`. */
function imageOf(
  values: Float32Array,
  [height, width]: readonly [number, number],
): RgbImage {
  const area = height * width;
  const pixels = Uint8ClampedArray.from(
    { length: 3 * area },
    (_, i) => (values[(i % 3) * area + Math.floor(i / 3)]! * 0.5 + 0.5) * 255,
  );
  return { height, width, pixels };
}

/** Returns the frames of a golden clip, or a golden picture alone. */
export function framesOf(
  name: string,
  size: readonly [number, number],
): RgbImage[] {
  const values = float32(golden, `${name}.pixel_values`);
  const length = 3 * size[0] * size[1];
  return Array.from(
    { length: values.length / length },
    (_, i) => imageOf(values.subarray(i * length, (i + 1) * length), size),
  );
}

/** Fails if codes differ by more than a tie. */
export function assertCodes(
  actual: Uint16Array,
  expected: Int32Array,
  margins: Float32Array,
): void {
  const wrong = [...expected.keys()].filter((i) =>
    actual[i] !== expected[i] && margins[i]! > CODE_MARGIN
  );
  deepStrictEqual(
    wrong,
    [],
    "positions of codes that differ by more than a tie",
  );
}
