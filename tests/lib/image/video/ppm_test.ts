import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ImageError, ImageTooLargeError } from "../../../../lib/errors.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import { readPpm } from "../../../../lib/image/video/ppm.ts";

const MAX_PIXELS = 1000;

const picture = fc.record({
  height: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 5 }),
}).chain(({ height, width }) =>
  fc.uint8Array({
    minLength: 3 * height * width,
    maxLength: 3 * height * width,
  })
    .map((bytes): RgbImage => ({
      height,
      width,
      pixels: new Uint8ClampedArray(bytes),
    }))
);

function ppm({ height, width, pixels }: RgbImage): number[] {
  const header = new TextEncoder().encode(`P6\n${width} ${height}\n255\n`);
  return [...header, ...pixels];
}

/** Returns a stream of `bytes` in parts of `length`. */
function streamOf(
  bytes: readonly number[],
  length = 7,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += length) {
    parts.push(Uint8Array.from(bytes.slice(at, at + length)));
  }
  return ReadableStream.from(parts);
}

Deno.test("readPpm() yields all pictures, however the stream is divided", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(picture, { maxLength: 4 }),
    fc.integer({ min: 1, max: 200 }),
    async (pictures, length) => {
      const stream = streamOf(pictures.flatMap(ppm), length);
      deepStrictEqual(
        await Array.fromAsync(readPpm(stream, MAX_PIXELS)),
        pictures,
      );
    },
  ));
});

Deno.test("readPpm() refuses what ends within a picture, or is none", async () => {
  const pixels = new Uint8ClampedArray(27);
  const whole = ppm({ height: 3, width: 3, pixels });
  for (const length of [1, 5, whole.length - 27, whole.length - 1]) {
    const cut = streamOf(whole.slice(0, length));
    await rejects(Array.fromAsync(readPpm(cut, MAX_PIXELS)), ImageError);
  }
  const text = [...new TextEncoder().encode("P5\n3 3\n255\nabcdefghi")];
  await rejects(Array.fromAsync(readPpm(streamOf(text), MAX_PIXELS)), {
    name: "ImageError",
    message: "Cannot read image: its frames are unreadable",
  });
});

Deno.test("readPpm() refuses a larger picture before it is in memory", async () => {
  const header = [
    ...new TextEncoder().encode("P6\n999999999 999999999\n255\n"),
  ];
  await rejects(
    Array.fromAsync(readPpm(streamOf(header), MAX_PIXELS)),
    ImageTooLargeError,
  );
});

Deno.test("readPpm() reads no further than pictures are taken, and cancels the stream", async () => {
  const one = ppm({ height: 1, width: 1, pixels: new Uint8ClampedArray(3) });
  let pulls = 0;
  let canceled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      pulls++;
      controller.enqueue(Uint8Array.from(Array(20).fill(one).flat()));
    },
    cancel: () => void (canceled = true),
  }, { highWaterMark: 0 });
  for await (const _ of readPpm(stream, MAX_PIXELS)) break;
  strictEqual(pulls, 1);
  strictEqual(canceled, true);
});
