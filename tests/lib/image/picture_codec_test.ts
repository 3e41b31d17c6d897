import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { readHeader } from "../../../lib/image/header.ts";
import { inPlaceCodec as codec } from "../../../lib/image/picture_codec.ts";
import { withWebpXmp } from "../../../lib/image/metadata/webp_xmp.ts";
import {
  goldenImage,
  maxLevelDifference,
  paint,
} from "../../support/pictures.ts";

const options = { decode: "display", maxPixels: 1_000_000 } as const;

const smooth = paint(40, 60, (y, x) => [4 * x, 6 * y, 2 * (x + y)]);

Deno.test("encodeJpeg() is close at high quality", async () => {
  const bytes = await codec.encodeJpeg(smooth, { quality: 95 });
  strictEqual(readHeader(bytes).type, "jpeg");
  ok(maxLevelDifference(await codec.decodeImage(bytes, options), smooth) <= 8);
});

Deno.test("encodeJpeg() is smaller at lower quality", async () => {
  const picture = await goldenImage("preprocess/real_limits_up.png");
  const high = await codec.encodeJpeg(picture, { quality: 95 });
  const low = await codec.encodeJpeg(picture, { quality: 30 });
  ok(low.length < high.length / 2, `${low.length} and ${high.length} bytes`);
});

Deno.test("encodeJpeg() refuses a quality beyond 1 to 100", async () => {
  for (const quality of [0, 101, 50.5, Number.NaN]) {
    await rejects(codec.encodeJpeg(smooth, { quality }), RangeError);
  }
});

Deno.test("encodeWebp() is lossless without a quality, and close with one", async () => {
  const exact = await codec.encodeWebp(smooth, { quality: undefined });
  strictEqual(readHeader(exact).type, "webp");
  deepStrictEqual(await codec.decodeImage(exact, options), smooth);
  const picture = await goldenImage("preprocess/real_limits_up.png");
  const high = await codec.encodeWebp(picture, { quality: 95 });
  const low = await codec.encodeWebp(picture, { quality: 30 });
  ok(low.length < high.length / 2, `${low.length} and ${high.length} bytes`);
});

Deno.test("encodeWebp() refuses a quality beyond 1 to 100", async () => {
  for (const quality of [0, 101, 50.5, Number.NaN]) {
    await rejects(codec.encodeWebp(smooth, { quality }), RangeError);
  }
});

Deno.test("withWebpXmp() keeps the picture, and contains the packet", async () => {
  for (const quality of [undefined, 80]) {
    const plain = await codec.encodeWebp(smooth, { quality });
    for (const packet of ["<x/>", "<x>é</x>"]) {
      const marked = withWebpXmp(plain, smooth, packet);
      deepStrictEqual(
        await codec.decodeImage(marked, options),
        await codec.decodeImage(plain, options),
      );
      const { height, width } = readHeader(marked);
      deepStrictEqual([height, width], [smooth.height, smooth.width]);
      ok(new TextDecoder().decode(marked).includes(packet));
      const size = new DataView(marked.buffer).getUint32(4, true);
      strictEqual(size, marked.length - 8);
    }
  }
});

Deno.test("encodeGif() is close in color, and lossless for 255 colors", async () => {
  const [frame] = await codec.decodeFrames(
    await codec.encodeGif(smooth, { framesPerSecond: 10 }),
    options,
  );
  ok(meanDifference(frame!.pixels, smooth.pixels) < 4);
  const few = paint(16, 16, (y, x) => {
    const color = (16 * y + x) % 255;
    return [7 * color & 255, 31 * color & 255, 101 * color & 255];
  });
  const bytes = await codec.encodeGif(few, { framesPerSecond: 8 });
  deepStrictEqual(await codec.decodeFrames(bytes, options), [few]);
});

Deno.test("encodeGif() refuses a rate out of range", async () => {
  for (const framesPerSecond of [0, -1, 101, Number.NaN]) {
    await rejects(codec.encodeGif(smooth, { framesPerSecond }), RangeError);
  }
});

function meanDifference(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  return a.reduce((sum, level, i) => sum + Math.abs(level - b[i]!), 0) /
    a.length;
}
