/** GIFs of other programs, unusual or damaged. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import type { RgbImage } from "../../../lib/image/image.ts";
import {
  type GifFrameParts,
  ODD_GIFS,
  oddGif,
  PLAIN_FRAME,
} from "../../support/odd_gifs.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;
const display = { decode: "display", maxPixels: 1_000_000 } as const;

for (const { name, bytes, picture } of ODD_GIFS) {
  Deno.test(`decodeImage() reads a GIF with ${name}`, async () => {
    deepStrictEqual(await decodeImage(bytes, reference), picture);
    const { height, width } = await decodeImage(bytes, display);
    deepStrictEqual({ height, width }, {
      height: picture.height,
      width: picture.width,
    });
  });
}

/** Returns a frame of one color. */
function flat(index: number, parts: Partial<GifFrameParts>): GifFrameParts {
  const { height = 2, width = 2 } = parts;
  const indices = new Array<number>(height * width).fill(index);
  return { height, width, indices, ...parts };
}

/** The letters of the colors of indices 0 to 3, and of white. */
const LETTERS = new Map([
  ["200,10,20", "R"],
  ["30,180,40", "G"],
  ["50,60,220", "B"],
  ["250,240,70", "Y"],
  ["255,255,255", "."],
]);

function letters({ height, width, pixels }: RgbImage): string[] {
  return Array.from(
    { length: height },
    (_, y) =>
      Array.from({ length: width }, (_, x) => {
        const at = 3 * (y * width + x);
        return LETTERS.get(pixels.slice(at, at + 3).join());
      }).join(""),
  );
}

async function clip(
  frames: readonly GifFrameParts[],
  options: typeof reference | typeof display,
): Promise<string[][]> {
  const bytes = oddGif({ screen: { height: 2, width: 4 }, frames });
  return (await decodeFrames(bytes, options)).map(letters);
}

Deno.test("decodeFrames() keeps, clears and restores the areas of a GIF's frames", async () => {
  const whole = flat(1, { width: 4, transparent: 0, disposal: 1 });
  const next = (disposal: number) => [
    whole,
    flat(2, { transparent: 0, disposal }),
    flat(3, { left: 2, transparent: 0 }),
  ];
  const first = ["GGGG", "GGGG"];
  const second = ["BBGG", "BBGG"];
  for (
    const [disposal, third] of [
      [0, "BBYY"],
      [1, "BBYY"],
      [2, "..YY"],
      [3, "GGYY"],
      [4, "GGYY"],
    ] as const
  ) {
    deepStrictEqual(
      await clip(next(disposal), display),
      [first, second, [third, third]],
      `${disposal}`,
    );
  }
});

Deno.test("decodeFrames() keeps the colors of a GIF's transparent pixels for the reference", async () => {
  const frames = [
    { ...flat(1, { transparent: 1 }), disposal: 2 },
    flat(2, { left: 1, transparent: 3 }),
  ];
  // Outside of frames, the canvas has the color of the transparent index.
  deepStrictEqual(await clip(frames, reference), [
    ["GGGG", "GGGG"],
    ["GBBG", "GBBG"],
  ]);
  deepStrictEqual(await clip(frames, display), [
    ["....", "...."],
    [".BB.", ".BB."],
  ]);
});

Deno.test("decodeFrames() crops later frames to the canvas", async () => {
  const frames = [
    flat(0, { width: 4 }),
    flat(1, { left: 3, top: 1 }),
    flat(2, { left: 9, top: 9 }),
    flat(3, { width: 0 }),
  ];
  deepStrictEqual(await clip(frames, display), [
    ["RRRR", "RRRR"],
    ["RRRR", "RRRG"],
    ["RRRR", "RRRG"],
    ["RRRR", "RRRG"],
  ]);
});

Deno.test("decodeFrames() refuses a GIF with a frame that is damaged, truncated or far too large", async () => {
  const damaged: [Partial<GifFrameParts>, RegExp][] = [
    [{ change: () => [2, 2, 0xff, 0xff, 0] }, /a code has no dictionary entry/],
    [{ change: ([, ...data]) => [12, ...data] }, /its code size is 12/],
    [{ change: () => [2, 0] }, /pixels are missing/],
    [{ change: () => [] }, /truncated/],
    [{ indices: [0, 1], endCode: true }, /pixels are missing/],
    [{ height: 1000, width: 1000 }, /its canvas 11×13; save it again/],
  ];
  for (const [parts, message] of damaged) {
    const frames = [PLAIN_FRAME, { ...PLAIN_FRAME, ...parts }];
    const bytes = oddGif({ screen: PLAIN_FRAME, frames, end: [] });
    await rejects(decodeFrames(bytes, display), message);
    const { height } = await decodeImage(bytes, display);
    strictEqual(height, PLAIN_FRAME.height);
  }
  for (const end of [[0x2c, 0, 0], [0x21], [0x21, 0xf9, 4, 1]]) {
    const bytes = oddGif({ frames: [PLAIN_FRAME], end });
    await rejects(decodeFrames(bytes, display), /truncated/);
  }
});

Deno.test("decodeImage() refuses a GIF whose first frame is damaged, truncated or missing", async () => {
  const frames: [Partial<GifFrameParts>, RegExp][] = [
    [{ change: () => [2, 2, 0xff, 0xff, 0] }, /a code has no dictionary entry/],
    [{ change: (data) => data.slice(0, 9) }, /truncated/],
  ];
  for (const [parts, message] of frames) {
    const frame = { ...PLAIN_FRAME, ...parts };
    const bytes = oddGif({ frames: [frame, PLAIN_FRAME], end: [] });
    await rejects(decodeImage(bytes, display), message);
  }
  const none = oddGif({ screen: PLAIN_FRAME, frames: [] });
  await rejects(decodeImage(none, display), /has no image data/);
});
