import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Frame, GIF } from "imagescript";
import { joinGifs } from "../../../../lib/image/animation/animated_gif.ts";
import { encodeGif } from "../../../../lib/image/codec/imagescript.ts";
import { decodeFrames } from "../../../../lib/image/decode.ts";
import { withAlpha } from "../../../../lib/image/rgba.ts";
import { paint } from "../../../support/pictures.ts";

const options = { decode: "display", maxPixels: 1_000_000 } as const;
const rate = { framesPerSecond: 8 };
/** Frames of few colors, all different. */
const frames = [1, 50, 99].map((step) =>
  paint(16, 12, (y, x) => [step * y & 255, step * x & 255, step])
);
const gifs = await Promise.all(frames.map((frame) => encodeGif(frame, rate)));

Deno.test("joinGifs() has the bytes of an encoder that sees all frames", async () => {
  const together = frames.map((image) => {
    const frame = new Frame(image.width, image.height, 130);
    frame.bitmap.set(withAlpha(image).pixels);
    return frame;
  });
  const whole = await new GIF(together).encode(100);
  deepStrictEqual(joinGifs(gifs), new Uint8Array(whole));
});

Deno.test("joinGifs() keeps each frame with its own colors", async () => {
  for (let count = 1; count <= gifs.length; count++) {
    const bytes = joinGifs(gifs.slice(0, count));
    deepStrictEqual(
      await decodeFrames(bytes, options),
      frames.slice(0, count),
    );
  }
});

Deno.test("joinGifs() writes the delay of each frame in hundredths", () => {
  const bytes = joinGifs(gifs);
  const controls = [...bytes.keys()].filter((at) =>
    bytes[at] === 0x21 && bytes[at + 1] === 0xf9 && bytes[at + 2] === 4
  );
  strictEqual(controls.length, 3);
  for (const at of controls) strictEqual(bytes[at + 4], 13); // 12.5 rounded
});

Deno.test("joinGifs() loops forever", () => {
  const text = new TextDecoder("latin1").decode(joinGifs(gifs));
  strictEqual(text.split("NETSCAPE2.0").length, 2);
});

Deno.test("joinGifs() refuses no frame, and frames of two sizes", async () => {
  const dot = await encodeGif(paint(1, 1, () => [0, 0, 0]), rate);
  throws(() => joinGifs([]), RangeError);
  throws(() => joinGifs([gifs[0]!, dot]), RangeError);
});
