import { deepStrictEqual, ok, rejects, throws } from "node:assert/strict";
import {
  checkClipSize,
  CLIP_TYPES,
  clipFile,
} from "../../../../functions/inference/clips/clip_files.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import {
  inPlaceCodec,
  type PictureCodec,
} from "../../../../lib/image/picture_codec.ts";
import { paint } from "../../../support/pictures.ts";

const call = { signal: new AbortController().signal, caller: "" };
const shape = { frames: 40, height: 3, width: 5 };

/** Yields frames of one size, and counts them in `seen`. */
async function* decoded(seen: { frames: number }): AsyncGenerator<RgbImage> {
  for (let i = 0; i < shape.frames; i++) {
    seen.frames++;
    yield await Promise.resolve(paint(3, 5, (y, x) => [i, y, x]));
  }
}

for (const type of Object.values(CLIP_TYPES)) {
  Deno.test(`clipFile() holds one frame of pixels at a time, as ${type}`, async () => {
    const seen = { frames: 0 };
    let encoded = 0;
    const note = async <T>(encode: () => Promise<T>) => {
      deepStrictEqual(seen.frames, encoded + 1);
      const file = await encode();
      encoded++;
      return file;
    };
    const codec: PictureCodec = {
      ...inPlaceCodec,
      encodePng: (...input) => note(() => inPlaceCodec.encodePng(...input)),
      encodeGif: (...input) => note(() => inPlaceCodec.encodeGif(...input)),
    };
    const bytes = await clipFile(
      {
        codec,
        encodeVideo: async (frames) => {
          for await (const _frame of frames) {
            await note(() => Promise.resolve());
          }
          return Uint8Array.of(1);
        },
      },
      decoded(seen),
      { type, framesPerSecond: 8, ...shape },
      call,
    );
    ok(bytes.length > 0);
    deepStrictEqual([seen.frames, encoded], [shape.frames, shape.frames]);
  });
}

Deno.test("clipFile() decodes no further once a frame cannot be encoded", async () => {
  const seen = { frames: 0 };
  const codec: PictureCodec = {
    ...inPlaceCodec,
    encodePng: () => Promise.reject(new Error("no memory")),
  };
  const file = clipFile(
    { codec },
    decoded(seen),
    { type: CLIP_TYPES.apng, framesPerSecond: 8, ...shape },
    call,
  );
  await rejects(file, /no memory/);
  deepStrictEqual(seen.frames, 1);
});

Deno.test("checkClipSize() allows files up to the memory of the largest picture", () => {
  const vision = {
    framesPerCode: 1,
    pixelsPerCode: 8,
    runBytesPerPixel: { encode: 500, decode: 1000 },
    deviceMemoryBytes: undefined,
    checkpoint: {
      name: "a",
      preprocessor: { minPixels: 64, maxPixels: 4096 },
    },
  };
  const limits = { maxBodyBytes: 1, maxPixels: 6 * 64, maxFrames: 256 };
  const clip = (frames: number) => ({ frames, height: 1, width: 1 });
  checkClipSize(clip(28), vision, { limits });
  throws(
    () => checkClipSize(clip(29), vision, { limits }, "/frames"),
    (error: { fields?: unknown }) => {
      ok(JSON.stringify(error).includes("29 frames have 1856 pixels"));
      return true;
    },
  );
  throws(
    () => checkClipSize({ frames: 1, height: 3, width: 3 }, vision, { limits }),
    { name: "ImageTooLargeError", message: /24 × 24 pixels are 576/ },
  );
});
