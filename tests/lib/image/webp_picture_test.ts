/** WebPs of other programs, unusual or damaged. */

import {
  deepStrictEqual,
  notDeepStrictEqual,
  rejects,
} from "node:assert/strict";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import {
  extendedStill,
  ODD_WEBPS,
  STILL_WEBP,
  stillAnimation,
} from "../../support/odd_webps.ts";
import { XMP_PACKET } from "../../support/orientation_blocks.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;
const display = { decode: "display", maxPixels: 1_000_000 } as const;

for (const { name, bytes } of ODD_WEBPS) {
  Deno.test(`decodeImage() reads a WebP with ${name}`, async () => {
    for (const options of [reference, display]) {
      deepStrictEqual(
        await decodeImage(bytes, options),
        await decodeImage(STILL_WEBP, options),
      );
    }
  });
}

Deno.test("decodeFrames() keeps the colors of a WebP's transparent pixels for the reference", async () => {
  const expected = await decodeImage(STILL_WEBP, reference);
  notDeepStrictEqual(expected, await decodeImage(STILL_WEBP, display));
  for (const over of [true, false]) {
    const bytes = stillAnimation({ over, clear: true }, { over });
    deepStrictEqual(await decodeImage(bytes, reference), expected);
    deepStrictEqual(await decodeFrames(bytes, reference), [expected, expected]);
    const [shown] = await decodeFrames(bytes, display);
    deepStrictEqual(shown, await decodeImage(STILL_WEBP, display));
  }
});

Deno.test("decodeFrames() refuses a WebP with a frame that is damaged, truncated, missing or misplaced", async () => {
  const two = stillAnimation({}, {});
  const one = stillAnimation({});
  const cases: [Uint8Array, RegExp][] = [
    [stillAnimation({}, { cut: 20 }), /truncated/],
    [stillAnimation({}, { left: 2 }), /exceeds its canvas/],
    [two.subarray(0, -20), /truncated/],
    [two.subarray(0, one.length), /frames are missing/],
    [two.subarray(0, one.length + 4), /frames are missing/],
    [two.subarray(0, one.length + 12), /truncated/],
  ];
  for (const [bytes, message] of cases) {
    await rejects(decodeFrames(bytes, display), message);
    deepStrictEqual(
      await decodeImage(bytes, display),
      await decodeImage(STILL_WEBP, display),
    );
  }
});

Deno.test("decodeImage() refuses a WebP whose picture is truncated", async () => {
  for (const length of [13, 20, 40, STILL_WEBP.length - 3]) {
    const cut = STILL_WEBP.subarray(0, length);
    await rejects(decodeImage(cut, display), /truncated|has no image data/);
  }
});

Deno.test("decodeImage() turns a WebP by XMP", async () => {
  const data = new TextEncoder().encode(XMP_PACKET);
  const bytes = extendedStill(4, [], [{ name: "XMP ", data }]);
  const stored = await decodeImage(bytes, reference);
  deepStrictEqual(stored, await decodeImage(STILL_WEBP, reference));
  const { height, width } = await decodeImage(bytes, display);
  deepStrictEqual([height, width], [stored.width, stored.height]);
});
