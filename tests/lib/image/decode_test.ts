// deno-lint-ignore-file camelcase -- the golden files' own keys
import {
  deepStrictEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { ImageError, ImageTooLargeError } from "../../../lib/errors.ts";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import { readChunks, writeChunks } from "../../../lib/image/format/png.ts";
import {
  goldenBytes,
  goldenImage,
  goldenJson,
  maxLevelDifference,
  paint,
  sha256,
} from "../../support/pictures.ts";

const maxPixels = 1_000_000;
const reference = { decode: "reference", maxPixels } as const;
const display = { decode: "display", maxPixels } as const;

interface Entry {
  file: string;
  format?: string;
  rgb_sha256?: string;
  decoded_rgb?: string;
}

const entries: Entry[] = goldenJson("preprocess/preprocess.json").files;

Deno.test("decodeImage() returns the reference's bytes for every lossless file", async () => {
  const lossless = entries.filter(({ format, rgb_sha256, decoded_rgb }) =>
    rgb_sha256 !== undefined && decoded_rgb === undefined &&
    format !== "BMP" && format !== "TIFF"
  );
  ok(lossless.length > 30);
  for (const { file, rgb_sha256 } of lossless) {
    const { pixels } = await decodeImage(goldenBytes(file), reference);
    strictEqual(sha256(pixels), rgb_sha256, file);
  }
});

Deno.test("decodeImage() decodes lossy WebP as libwebp does", async () => {
  const [lossy] = entries.filter(({ file }) => file.endsWith("lossy.webp"));
  const { pixels } = await decodeImage(goldenBytes(lossy!.file), reference);
  strictEqual(sha256(pixels), lossy!.rgb_sha256);
});

Deno.test("decodeImage() decodes JPEG as libjpeg does", async () => {
  const jpegs = entries.filter(({ format }) => format === "JPEG");
  strictEqual(jpegs.length, 10);
  for (const { file, decoded_rgb } of jpegs) {
    const image = await decodeImage(goldenBytes(file), reference);
    const expected = await goldenImage(decoded_rgb!);
    strictEqual(maxLevelDifference(image, expected), 0, file);
  }
});

Deno.test("decodeImage() reads every kind of PNG as Pillow does", async () => {
  const { variants } = goldenJson("png/variants.json");
  for (const { name, png, rgb } of variants) {
    const { pixels } = await decodeImage(Uint8Array.fromBase64(png), reference);
    deepStrictEqual([...pixels], [...Uint8Array.fromBase64(rgb)], name);
  }
});

Deno.test("decodeImage() returns the first frame of animations as Pillow does", async () => {
  const { files } = goldenJson("animation/frames.json");
  for (const [name, answer] of Object.entries<{ reference: string }>(files)) {
    const bytes = goldenBytes(`animation/${name}`);
    const { pixels } = await decodeImage(bytes, reference);
    strictEqual(sha256(pixels), answer.reference, name);
  }
});

Deno.test("decodeFrames() composes every frame as viewers do", async () => {
  const { files } = goldenJson("animation/frames.json");
  for (const [name, { shown }] of Object.entries<{ shown: string[] }>(files)) {
    const frames = await decodeFrames(
      goldenBytes(`animation/${name}`),
      display,
    );
    if (shown.length === 0) continue; // differs from Pillow, see make.py
    deepStrictEqual(frames.map(({ pixels }) => sha256(pixels)), shown, name);
  }
});

Deno.test("decodeFrames() returns every frame as Pillow does, colors of transparent pixels included", async () => {
  const { clips } = goldenJson("animation/clips.json");
  for (const { name, file, frames } of clips) {
    const images = await decodeFrames(Uint8Array.fromBase64(file), reference);
    deepStrictEqual(images.map(({ pixels }) => sha256(pixels)), frames, name);
  }
});

Deno.test("decodeFrames() returns one frame for a still", async () => {
  for (const name of ["rgb.png", "gray.jpg", "still.gif", "alpha.webp"]) {
    const bytes = goldenBytes(`preprocess/${name}`);
    const frames = await decodeFrames(bytes, display);
    deepStrictEqual(frames, [await decodeImage(bytes, display)], name);
  }
});

Deno.test("decodeImage() turns a picture by EXIF on display only", async () => {
  const upright = goldenBytes("preprocess/exif_orientation_1.jpg");
  const turned = goldenBytes("preprocess/exif_orientation_6.jpg");
  const stored = await decodeImage(turned, reference);
  deepStrictEqual(stored, await decodeImage(upright, reference));
  const shown = await decodeImage(turned, display);
  strictEqual(shown.height, stored.width);
  const clockwise = paint(stored.width, stored.height, (y, x) => {
    const at = ((stored.height - 1 - x) * stored.width + y) * 3;
    const [red = 0, green = 0, blue = 0] = stored.pixels.subarray(at, at + 3);
    return [red, green, blue];
  });
  deepStrictEqual(shown, clockwise);
});

Deno.test("decodeImage() turns PNG and WebP by EXIF, too", async () => {
  const exif = exifBlock(3);
  const [header, ...rest] = readChunks(goldenBytes("preprocess/rgb.png"));
  const png = writeChunks([header!, { type: "eXIf", data: exif }, ...rest]);
  const webp = webpWithExif(goldenBytes("preprocess/lossless.webp"), exif);
  for (const bytes of [png, webp]) {
    const { pixels } = await decodeImage(bytes, reference);
    const shown = await decodeImage(bytes, display);
    deepStrictEqual([...shown.pixels.subarray(0, 3)], [...pixels.subarray(-3)]);
  }
});

Deno.test("decodeImage() lays transparency over white on display only", async () => {
  for (
    const name of [
      "rgba.png",
      "la.png",
      "alpha.webp",
      "transparent.gif",
      "l_trns.png",
    ]
  ) {
    const bytes = goldenBytes(`preprocess/${name}`);
    const shown = await decodeImage(bytes, display);
    const stored = await decodeImage(bytes, reference);
    notStrictEqual(maxLevelDifference(shown, stored), 0, name);
    ok(brightness(shown) > brightness(stored), name);
  }
});

Deno.test("decodeImage() shows 16-bit gray by its high byte", async () => {
  const bytes = goldenBytes("preprocess/gray16.png");
  const shown = await decodeImage(bytes, display);
  ok(brightness(shown) < brightness(await decodeImage(bytes, reference)));
});

Deno.test("decodeImage() refuses other types by name", async () => {
  const other: [string, Uint8Array][] = [
    ["BMP", goldenBytes("preprocess/bmp24.bmp")],
    ["TIFF", goldenBytes("preprocess/tiff.tif")],
    ["AVIF", latin1("\0\0\0\x20ftypavif")],
    ["HEIC", latin1("\0\0\0\x20ftypheic")],
    ["SVG", latin1('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ["video", latin1("\0\0\0\x20ftypisom")],
  ];
  for (const [name, bytes] of other) {
    await rejects(
      decodeImage(bytes, display),
      (error) =>
        error instanceof ImageError && error.message.includes(name) &&
        error.message.includes("send a PNG, JPEG, GIF or WebP"),
      name,
    );
  }
});

Deno.test("decodeImage() refuses the files that the original cannot open", async () => {
  for (
    const name of ["err_empty.png", "err_not_an_image.png", "err_truncated.png"]
  ) {
    await rejects(
      decodeImage(goldenBytes(`preprocess/${name}`), display),
      ImageError,
    );
  }
});

Deno.test("decodeImage() refuses a huge picture before decoding any of it", async () => {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, 20_000);
  view.setUint32(4, 20_000);
  header.set([8, 2], 8);
  const bytes = writeChunks([
    { type: "IHDR", data: header },
    { type: "IDAT", data: new Uint8Array(10) },
  ]);
  await rejects(decodeImage(bytes, display), ImageTooLargeError);
});

Deno.test("decodeFrames() counts all frames against the limit", async () => {
  const bytes = goldenBytes("preprocess/animated.gif");
  const { height, width } = await decodeImage(bytes, display);
  const one = { decode: "display", maxPixels: height * width } as const;
  await decodeImage(bytes, one);
  await rejects(decodeFrames(bytes, one), ImageTooLargeError);
});

function brightness({ pixels }: { pixels: Uint8ClampedArray }): number {
  return pixels.reduce((sum, level) => sum + level, 0) / pixels.length;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Returns a directory of one entry: the orientation. */
function exifBlock(orientation: number): Uint8Array {
  return latin1(
    `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${
      String.fromCharCode(orientation)
    }\0\0\0\0\0\0`,
  );
}

function webpWithExif(bytes: Uint8Array, exif: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 8 + exif.length);
  out.set(bytes);
  out.set(latin1("EXIF"), bytes.length);
  const view = new DataView(out.buffer);
  view.setUint32(bytes.length + 4, exif.length, true);
  out.set(exif, bytes.length + 8);
  view.setUint32(4, out.length - 8, true);
  return out;
}
