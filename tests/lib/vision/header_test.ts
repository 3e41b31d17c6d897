import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { ImageError } from "../../../lib/errors.ts";
import { readHeader } from "../../../lib/vision/header.ts";
import { goldenBytes, goldenJson } from "../../support/pictures.ts";

const types: Record<string, string> = {
  PNG: "png",
  JPEG: "jpeg",
  GIF: "gif",
  WEBP: "webp",
};

Deno.test("readHeader() gives type and size of every golden picture", () => {
  const { files } = goldenJson("preprocess/preprocess.json");
  for (const { file, format, size_wh } of files) {
    const type = types[format];
    if (type === undefined || file.includes("truncated")) continue;
    const header = readHeader(goldenBytes(file));
    deepStrictEqual(
      [header.type, header.width, header.height],
      [type, ...size_wh],
      file,
    );
  }
});

Deno.test("readHeader() counts the frames of animations", () => {
  const files = ["apng.png", "animated.webp", "small_first.gif"];
  const frames = files.map((name) =>
    readHeader(goldenBytes(`animation/${name}`)).frames
  );
  deepStrictEqual(frames, [5, 4, 5]);
});

Deno.test("readHeader() gives EXIF's orientation", () => {
  const found = [1, 3, 6, 8].map((n) =>
    readHeader(goldenBytes(`preprocess/exif_orientation_${n}.jpg`)).orientation
  );
  deepStrictEqual(found, [1, 3, 6, 8]);
});

Deno.test("readHeader() refuses a header that is cut short", () => {
  for (
    const name of [
      "rgb.png",
      "gray.jpg",
      "still.gif",
      "lossy.webp",
      "alpha.webp",
    ]
  ) {
    const bytes = goldenBytes(`preprocess/${name}`);
    for (let length = 0; length < 30; length++) {
      throws(() => readHeader(bytes.subarray(0, length)), ImageError, name);
    }
  }
});

Deno.test("readHeader() refuses a side of zero", () => {
  const jpeg = goldenBytes("preprocess/gray.jpg");
  const frame = jpeg.findIndex((byte, i) =>
    byte === 0xff && jpeg[i + 1] === 0xc0
  );
  jpeg.fill(0, frame + 5, frame + 7); // height
  throws(() => readHeader(jpeg), ImageError);
  const gif = goldenBytes("preprocess/still.gif");
  gif.fill(0, 6, 8); // width
  throws(() => readHeader(gif), ImageError);
});

Deno.test("readHeader() answers or refuses whatever the bytes are", () => {
  const starts = [
    "\x89PNG\r\n\x1a\n",
    "\xff\xd8\xff",
    "GIF89a",
    "RIFF\xff\0\0\0WEBP",
    "",
  ];
  const anyBytes = fc.tuple(
    fc.constantFrom(...starts),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(fc.property(anyBytes, ([start, rest]) => {
    const head = Array.from(start, (character) => character.charCodeAt(0));
    try {
      readHeader(Uint8Array.of(...head, ...rest));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
    }
  }));
});
