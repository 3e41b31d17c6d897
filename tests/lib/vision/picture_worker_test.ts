import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  ImageError,
  ImageTooLargeError,
  OverloadedError,
} from "../../../lib/errors.ts";
import { inPlaceCodec } from "../../../lib/vision/picture_codec.ts";
import { openPictureWorker } from "../../../lib/vision/picture_worker.ts";
import { plainPng } from "../../support/bombs.ts";
import { goldenBytes, paint } from "../../support/pictures.ts";

const patient = { deadlineMs: 60_000 };
const options = { decode: "display", maxPixels: 1_000_000 } as const;
const image = paint(20, 30, (y, x) => [8 * x, 12 * y, 7]);

Deno.test("a picture worker answers as the codec in place does", async () => {
  await using worker = openPictureWorker(patient);
  const jpeg = goldenBytes("preprocess/gray.jpg");
  const gif = goldenBytes("preprocess/animated.gif");
  const pairs = [worker, inPlaceCodec].map((codec) =>
    Promise.all([
      codec.decodeImage(jpeg, options),
      codec.decodeFrames(gif, options),
      codec.resize(image, { height: 7, width: 41 }),
      codec.encodePng(image, { text: { Seed: "1" } }),
      codec.encodeJpeg(image, { quality: 80 }),
      codec.encodeWebp(image, { quality: 80 }),
      codec.encodeApng([image, image], { framesPerSecond: 8 }),
      codec.encodeGif([image, image], { framesPerSecond: 8 }),
      codec.zipPngs([image]),
    ])
  );
  const [there, here] = await Promise.all(pairs);
  deepStrictEqual(there?.map(plain), here?.map(plain));
});

Deno.test("a picture worker leaves what it is given", async () => {
  await using worker = openPictureWorker(patient);
  const bytes = goldenBytes("preprocess/rgb.png");
  const length = bytes.length;
  await worker.decodeImage(bytes, options);
  await worker.encodePng(image, {});
  strictEqual(bytes.length, length);
  strictEqual(image.pixels.length, 20 * 30 * 3);
});

Deno.test("a picture worker throws the codec's own errors", async () => {
  await using worker = openPictureWorker(patient);
  const png = goldenBytes("preprocess/rgb.png");
  const bmp = goldenBytes("preprocess/bmp24.bmp");
  await rejects(
    worker.decodeImage(bmp, options),
    (error) =>
      error instanceof ImageError &&
      error.message.startsWith("Cannot read picture: it is BMP"),
  );
  const small = { decode: "display", maxPixels: 5 } as const;
  await rejects(worker.decodeImage(png, small), ImageTooLargeError);
  await rejects(worker.encodeJpeg(image, { quality: 0 }), RangeError);
});

Deno.test("a picture worker drops a call at its deadline and goes on", async () => {
  // No thread starts within a millisecond.
  await using worker = openPictureWorker({ deadlineMs: 1 });
  const bytes = goldenBytes("preprocess/rgb.png");
  const busy = (error: unknown) =>
    error instanceof OverloadedError && error.retryAfterSeconds > 0;
  await rejects(worker.decodeImage(bytes, options), busy);
  await rejects(worker.encodePng(image, {}), busy);
});

Deno.test("a picture worker refuses calls once it is closed", async () => {
  const worker = openPictureWorker(patient);
  const before = worker.encodePng(image, {});
  await worker[Symbol.asyncDispose]();
  deepStrictEqual(await before, await inPlaceCodec.encodePng(image, {}));
  await rejects(worker.encodePng(image, {}), TypeError);
});

Deno.test("a picture worker lets go of a call whose signal aborts while it waits", async () => {
  await using worker = openPictureWorker(patient);
  const png = await plainPng(2000, 2000);
  const large = { decode: "display", maxPixels: 4e6 } as const;
  const before = worker.decodeImage(png, large);
  const leave = new AbortController();
  const waiting = worker.decodeImage(png, large, leave.signal);
  let decoded = false;
  before.then(() => decoded = true);
  leave.abort(new Error("gone"));
  await rejects(waiting, /gone/);
  strictEqual(decoded, false);
  await before;
});

Deno.test("a picture worker gives up a call that runs when its signal aborts, and goes on", async () => {
  await using worker = openPictureWorker(patient);
  // So long that nothing here waits for its end.
  const frame = paint(1500, 1500, (y, x) => [x, y, x * y]);
  const leave = new AbortController();
  const running = worker.encodeGif(
    Array.from({ length: 8 }, () => frame),
    { framesPerSecond: 8 },
    leave.signal,
  );
  const next = worker.encodePng(image, {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  leave.abort(new Error("gone"));
  await rejects(running, /gone/);
  deepStrictEqual(await next, await inPlaceCodec.encodePng(image, {}));
});

Deno.test("a picture worker decodes and resizes in one call", async () => {
  await using worker = openPictureWorker(patient);
  const bytes = goldenBytes("preprocess/rgb.png");
  const size = { height: 24, width: 16 };
  const whole = await inPlaceCodec.decodeImage(bytes, options);
  deepStrictEqual(
    await worker.decodeImage(bytes, { ...options, size }),
    await inPlaceCodec.resize(whole, size),
  );
});

/** Bytes and pixels as plain numbers: a Buffer equals an array of the same bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array || value instanceof Uint8ClampedArray) {
    return [...value];
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plain(inner)]),
  );
}
