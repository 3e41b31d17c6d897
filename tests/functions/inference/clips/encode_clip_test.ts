import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type ClipOptions,
  encodeClip,
} from "../../../../functions/inference/clips/encode_clip.ts";
import type { Tools, VisionModel } from "../../../../functions/models/ports.ts";
import { Budget } from "../../../../lib/async/budget.ts";
import { encodePng } from "../../../../lib/image/encode_png.ts";
import { animatedPng } from "../../../support/animations.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import { inPlaceCodec } from "../../../../lib/image/picture_codec.ts";

/** A model whose code of a run is the sum of the first levels of its frames. */
const vision: VisionModel = {
  pixelsPerCode: 8,
  framesPerCode: 4,
  codebookSize: 1024,
  runBytesPerPixel: { encode: 500, decode: 1000 },
  deviceMemoryBytes: undefined,
  checkpoint: {
    name: "sums",
    preprocessor: { minPixels: 64, maxPixels: 2 ** 20 },
  },
  encode: (image) => Promise.resolve(gridOf([image])),
  encodeClip: (frames) => Promise.resolve({ frames: 1, ...gridOf(frames) }),
  decode: () => Promise.reject(new Error("not used")),
  decodeClip: () => {
    throw new Error("not used");
  },
};

function gridOf(frames: readonly RgbImage[]) {
  const sum = frames.reduce((sum, { pixels }) => sum + pixels[0]!, 0);
  return { height: 1, width: 2, codes: Uint16Array.of(sum, frames.length) };
}

const pixels = new Budget({ total: 2 ** 30, maxWaiting: 8, now: () => 0 });
const tools: Tools = {
  codec: inPlaceCodec,
  pixels,
  limits: { maxBodyBytes: 2 ** 20, maxPixels: 2 ** 20 },
};

const options: ClipOptions = {
  decode: "display",
  resize: "smart",
  animation: true,
  pad: false,
};

const call = { signal: new AbortController().signal, caller: "" };

/** Returns `count` frames of levels that grow by one. */
function framesOf(count: number): RgbImage[] {
  return Array.from({ length: count }, (_, i) => ({
    height: 8,
    width: 16,
    pixels: new Uint8ClampedArray(3 * 8 * 16).fill(i + 1),
  }));
}

async function codesOf(
  files: readonly Uint8Array[],
  changes: Partial<ClipOptions> = {},
) {
  const { codes } = await encodeClip(tools, files, vision, {
    options: { ...options, ...changes },
    call,
  });
  strictEqual(pixels.held, 0);
  return { ...codes, codes: [...codes.codes] };
}

for (const animation of [true, false]) {
  const files = (count: number) =>
    animation
      ? [animatedPng(framesOf(count), { framesPerSecond: 4 })]
      : framesOf(count).map((frame) => encodePng(frame, {}));
  const name = animation ? "an animation" : "pictures";

  Deno.test(`encodeClip() encodes as many frames of ${name} together as a code has`, async () => {
    deepStrictEqual(await codesOf(files(8), { animation }), {
      frames: 2,
      height: 1,
      width: 2,
      codes: [1 + 2 + 3 + 4, 4, 5 + 6 + 7 + 8, 4],
    });
  });

  Deno.test(`encodeClip() repeats the last frame of ${name} if it is told to`, async () => {
    await rejects(codesOf(files(5), { animation }), /not a multiple of 4/);
    strictEqual(pixels.held, 0);
    const { codes } = await codesOf(files(5), { animation, pad: true });
    deepStrictEqual(codes, [10, 4, 20, 4]);
  });

  Deno.test(`encodeClip() encodes each frame of ${name} as a still`, async () => {
    deepStrictEqual(await codesOf(files(3), { animation, stills: true }), {
      frames: 3,
      height: 1,
      width: 2,
      codes: [1, 1, 2, 1, 3, 1],
      framesPerCode: 1,
    });
  });
}

Deno.test("encodeClip() refuses frames that are too many pixels once they are resized", async () => {
  const files = [animatedPng(framesOf(8), { framesPerSecond: 4 })];
  const resize = { height: 512, width: 512 };
  await rejects(codesOf(files, { resize }), /at most 1048576 become codes/);
});
