/** PNGs of other programs, unusual or damaged. */

import { deepStrictEqual, rejects } from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import { readChunks, writeChunks } from "../../../lib/image/format/png.ts";
import { ODD_PNGS } from "../../support/odd_pngs.ts";
import { goldenBytes } from "../../support/pictures.ts";
import type { PngChunk } from "../../../lib/image/format/png_metadata.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;
const display = { decode: "display", maxPixels: 1_000_000 } as const;

for (const { name, bytes, picture, shown = picture } of ODD_PNGS) {
  Deno.test(`decodeImage() reads a PNG with ${name}`, async () => {
    deepStrictEqual(await decodeImage(bytes, reference), picture);
    deepStrictEqual(await decodeImage(bytes, display), shown);
  });
}

function oddPng(name: string) {
  return ODD_PNGS.find((odd) => odd.name === `${name}.png`)!;
}

Deno.test("decodeFrames() omits the default picture of an APNG if it is not a frame", async () => {
  const { bytes, shown } = oddPng("a default picture that is no frame");
  for (const options of [reference, display]) {
    deepStrictEqual(await decodeFrames(bytes, options), [shown]);
  }
});

Deno.test("decodeFrames() refuses an APNG with a frame that is damaged, missing or misplaced", async () => {
  for (
    const [name, message] of [
      ["a damaged second frame", /a checksum is invalid/],
      ["a second frame out of the canvas", /exceeds its canvas/],
      ["acTL without a frame", /frames are missing/],
    ] as const
  ) {
    await rejects(decodeFrames(oddPng(name).bytes, display), message);
  }
});

/** Returns a PNG with the data of its chunks changed. */
function changed(
  name: string,
  change: (chunk: PngChunk) => Uint8Array | undefined,
): Uint8Array {
  const chunks = readChunks(goldenBytes(name)).map((chunk) => ({
    type: chunk.type,
    data: change(chunk) ?? chunk.data,
  }));
  return writeChunks(chunks.filter(({ data }) => data.length > 0));
}

Deno.test("decodeImage() refuses a PNG whose header is invalid", async () => {
  for (
    const [at, value, message] of [
      [8, 3, /depth 3, color type 2/],
      [9, 5, /color type 5/],
      [10, 1, /compression 1/],
      [11, 1, /filter 1/],
      [12, 2, /interlace 2/],
    ] as const
  ) {
    const bytes = changed("preprocess/rgb.png", ({ type, data }) => {
      if (type !== "IHDR") return undefined;
      const other = data.slice();
      other[at] = value;
      return other;
    });
    await rejects(decodeImage(bytes, display), message);
  }
});

Deno.test("decodeImage() refuses a PNG without rows, palette or known filters", async () => {
  const data = (bytes: Uint8Array) =>
    changed(
      "preprocess/rgb.png",
      ({ type }) =>
        type === "IDAT" ? new Uint8Array(deflateSync(bytes)) : undefined,
    );
  const cases: [Uint8Array, RegExp][] = [
    [data(new Uint8Array(50)), /rows are missing/],
    [data(new Uint8Array(50_000).fill(5)), /a row has filter 5/],
    [
      changed(
        "preprocess/p_trns.png",
        ({ type }) => type === "PLTE" ? new Uint8Array() : undefined,
      ),
      /has no palette/,
    ],
    [
      changed(
        "preprocess/rgb.png",
        ({ type }) => type === "IDAT" ? new Uint8Array() : undefined,
      ),
      /has no image data/,
    ],
    [
      changed(
        "preprocess/rgb.png",
        ({ type, data }) =>
          type === "IDAT" ? data.slice().fill(0xff, 2) : undefined,
      ),
      /damaged/,
    ],
  ];
  for (const [bytes, message] of cases) {
    await rejects(decodeImage(bytes, display), message);
  }
});
