import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { ImageError } from "../../../lib/errors.ts";
import { readHeader } from "../../../lib/image/header.ts";
import { goldenBytes, goldenJson } from "../../support/pictures.ts";
import { plainGif } from "../../support/bombs.ts";
import { oddGif } from "../../support/odd_gifs.ts";

const EMPTY = { height: 0, width: 0 };

const types: Record<string, string> = {
  PNG: "png",
  JPEG: "jpeg",
  GIF: "gif",
  WEBP: "webp",
};

Deno.test("readHeader() returns type and size of every golden picture", () => {
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

Deno.test("readHeader() returns EXIF's orientation", () => {
  const found = [1, 3, 6, 8].map((n) =>
    readHeader(goldenBytes(`preprocess/exif_orientation_${n}.jpg`)).orientation
  );
  deepStrictEqual(found, [1, 3, 6, 8]);
});

Deno.test("readHeader() refuses a header that is truncated", () => {
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
    for (let length = 0; length < 25; length++) {
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
  const gif = oddGif({ screen: EMPTY, frames: [{ ...EMPTY, indices: [] }] });
  throws(() => readHeader(gif), /GIF header declares 0×0 pixels/);
});

Deno.test("readHeader() returns or refuses for any bytes", () => {
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

Deno.test("readHeader() refuses files of countless blocks, of any type", () => {
  const length = 2 ** 24;
  const png = new Uint8Array(length);
  png.set(goldenBytes("preprocess/rgb.png").subarray(0, 33));
  for (let at = 33; at + 12 <= length; at += 12) png.set(EMPTY_TEXT, at);
  const gif = new Uint8Array(length).fill(1);
  gif.set(plainGif({ height: 8, width: 8 }, 1).subarray(0, 38));
  const webp = new Uint8Array(length);
  webp.set(new TextEncoder().encode("RIFF....WEBP"));
  new DataView(webp.buffer).setUint32(4, length - 8, true);
  const name = new TextEncoder().encode("ANMF");
  for (let at = 12; at + 8 <= length; at += 8) webp.set(name, at);
  const jpeg = new Uint8Array(length);
  jpeg.set([0xff, 0xd8]);
  for (let at = 2; at + 4 <= length; at += 4) jpeg.set([0xff, 0xe0, 0, 2], at);
  for (const bytes of [png, gif, webp, jpeg]) {
    throws(() => readHeader(bytes), /too many/);
  }
  const filled = new Uint8Array(length).fill(0xff);
  filled[1] = 0xd8;
  throws(() => readHeader(filled), /truncated/);
  const frames = plainGif({ height: 1, width: 1 }, 40_000);
  throws(() => readHeader(frames), /too many frames/);
});

/** A chunk that a PNG may contain any number of times. */
const EMPTY_TEXT = [0, 0, 0, 0, 0x74, 0x45, 0x58, 0x74, 0, 0, 0, 0];
