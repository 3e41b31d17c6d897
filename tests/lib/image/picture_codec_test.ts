import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { unzipSync } from "fflate";
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
const bright = paint(40, 60, (y, x) => [255 - 4 * x, 255 - 6 * y, 90]);

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

Deno.test("encodeGif() keeps every frame, close in color", async () => {
  const clip = [smooth, bright, smooth];
  const bytes = await codec.encodeGif(clip, { framesPerSecond: 10 });
  const frames = await codec.decodeFrames(bytes, options);
  strictEqual(frames.length, 3);
  frames.forEach((frame, i) => {
    ok(meanDifference(frame.pixels, clip[i]!.pixels) < 4, `frame ${i}`);
  });
});

Deno.test("encodeGif() is lossless for 255 colors", async () => {
  const few = paint(16, 16, (y, x) => {
    const color = (16 * y + x) % 255;
    return [7 * color & 255, 31 * color & 255, 101 * color & 255];
  });
  const bytes = await codec.encodeGif([few, few], { framesPerSecond: 8 });
  deepStrictEqual(await codec.decodeFrames(bytes, options), [few, few]);
});

Deno.test("encodeGif() writes the delay of each frame in hundredths", async () => {
  const bytes = await codec.encodeGif([smooth, bright], { framesPerSecond: 8 });
  const controls = [...bytes.keys()].filter((at) =>
    bytes[at] === 0x21 && bytes[at + 1] === 0xf9 && bytes[at + 2] === 4
  );
  strictEqual(controls.length, 2);
  for (const at of controls) strictEqual(bytes[at + 4], 13); // 12.5 rounded
});

Deno.test("encodeGif() refuses no frame, frames of two sizes, and no speed", async () => {
  const dot = paint(1, 1, () => [0, 0, 0]);
  await rejects(codec.encodeGif([], { framesPerSecond: 8 }), RangeError);
  await rejects(
    codec.encodeGif([smooth, dot], { framesPerSecond: 8 }),
    RangeError,
  );
});

Deno.test("zipPngs() contains every frame as a PNG, in order", async () => {
  const files = unzipSync(await codec.zipPngs([smooth, bright]));
  deepStrictEqual(Object.keys(files), ["frame_0000.png", "frame_0001.png"]);
  deepStrictEqual(
    await codec.decodeImage(files["frame_0001.png"]!, options),
    bright,
  );
});

Deno.test("zipPngs() returns the same bytes for the same frames", async () => {
  deepStrictEqual(await codec.zipPngs([smooth]), await codec.zipPngs([smooth]));
});

function meanDifference(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  return a.reduce((sum, level, i) => sum + Math.abs(level - b[i]!), 0) /
    a.length;
}
