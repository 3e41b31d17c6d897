/**
 * The PNGs of unusual encoders, made by code, and the picture in each.
 *
 * @module
 */

import { deflateSync } from "node:zlib";
import type { RgbImage } from "../../lib/image/image.ts";
import {
  exifBlock,
  rawProfile,
  XMP_ELEMENT,
  XMP_PACKET,
} from "./orientation_blocks.ts";
import {
  chunk,
  deflated,
  header,
  latin1,
  type OddChunk,
  oddPng,
  uint32s,
} from "./png_parts.ts";
import type { OddPicture } from "./odd_pictures.ts";
import { paint } from "./pictures.ts";

const HEIGHT = 11;
const WIDTH = 13;

const PLAIN = paint(HEIGHT, WIDTH, (y, x) => [20 * y, 19 * x, 9 * (x ^ y)]);
const OTHER = paint(HEIGHT, WIDTH, (y, x) => [255 - 20 * y, 7 * x, 99]);

/** Picture rotated clockwise, as orientation 6 requires. */
const TURNED = paint(WIDTH, HEIGHT, (y, x) => {
  const at = 3 * ((HEIGHT - 1 - x) * WIDTH + y);
  const [red = 0, green = 0, blue = 0] = PLAIN.pixels.subarray(at, at + 3);
  return [red, green, blue];
});

const DATA = deflated(PLAIN);
const IHDR = header(PLAIN);
const IDAT = chunk("IDAT", DATA);
const IEND = chunk("IEND");

/** Creates an odd file of the plain picture. */
function odd(
  name: string,
  chunks: readonly OddChunk[],
  more: Partial<OddPicture> = {},
): OddPicture {
  return {
    name: `${name}.png`,
    bytes: oddPng(chunks),
    picture: PLAIN,
    ...more,
  };
}

function oddData(
  name: string,
  data: readonly number[],
  more: Partial<OddPicture> = {},
): OddPicture {
  return odd(name, [IHDR, chunk("IDAT", data), IEND], more);
}

/** Creates a file of the plain picture with an orientation. */
function turned(name: string, chunks: readonly OddChunk[]): OddPicture {
  return odd(name, chunks, { shown: TURNED });
}

function compressedText(keyword: string, text: string): OddChunk {
  return chunk("zTXt", [
    ...latin1(`${keyword}\0\0`),
    ...deflateSync(latin1(text)),
  ]);
}

function animationOf(frames: number): OddChunk {
  return chunk("acTL", uint32s(frames, 0));
}

/** Creates a frame control that fills the canvas, or exceeds it. */
function control(sequence: number, left = 0): OddChunk {
  return chunk("fcTL", [
    ...uint32s(sequence, WIDTH, HEIGHT, left, 0),
    ...[0, 1, 0, 10, 0, 0],
  ]);
}

function frameData(sequence: number, image: RgbImage): OddChunk {
  return chunk("fdAT", [...uint32s(sequence), ...deflated(image)]);
}

const EXIF = exifBlock({ order: "MM", type: 3 });

const NOT_BY_PILLOW = { unlikePillow: "it refuses the file" };

const PALETTE = [[1, 2, 3], [40, 50, 60], [255, 128, 0]] as const;

/** Odd PNGs of every kind. */
export const ODD_PNGS: readonly OddPicture[] = [
  oddData("bytes after the zlib stream", [...DATA, 0, 1, 2, 3, 4, 5, 6, 7]),
  odd("a chunk of data after the zlib stream", [
    IHDR,
    IDAT,
    chunk("IDAT", [1, 2, 3]),
    IEND,
  ]),
  oddData("more rows than the picture has", deflated(PLAIN, [9, 9, 9])),
  oddData("no zlib checksum", DATA.slice(0, -4)),
  oddData(
    "a wrong zlib checksum",
    [...DATA.slice(0, -1), DATA.at(-1)! ^ 1],
    NOT_BY_PILLOW,
  ),
  odd("data in chunks of one byte, and empty ones", [
    IHDR,
    ...DATA.flatMap((byte) => [chunk("IDAT", [byte]), chunk("IDAT")]),
    IEND,
  ]),
  odd("no IEND", [IHDR, IDAT]),
  odd("an IEND of a wrong checksum", [IHDR, IDAT, { ...IEND, flip: 1 }]),
  odd("an IEND that holds bytes", [IHDR, IDAT, chunk("IEND", [1, 2, 3])]),
  {
    name: "a cut IEND.png",
    bytes: oddPng([IHDR, IDAT], [0, 0, 0, 0, 0x49, 0x45]),
    picture: PLAIN,
  },
  {
    name: "bytes after IEND.png",
    bytes: oddPng([IHDR, IDAT, IEND], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    picture: PLAIN,
  },
  {
    name: "a cut chunk after the picture.png",
    bytes: oddPng([IHDR, IDAT], [0, 0, 9, 9, ...latin1("tEXtabc")]),
    picture: PLAIN,
    ...NOT_BY_PILLOW,
  },
  odd("a palette beside colors", [
    IHDR,
    chunk("PLTE", [1, 2, 3]),
    IDAT,
    IEND,
  ]),
  odd(
    "a wrong checksum of a comment",
    [IHDR, { ...chunk("tEXt", "a\0b"), flip: 1 }, IDAT, IEND],
    NOT_BY_PILLOW,
  ),
  {
    name: "indices beyond the palette.png",
    bytes: oddPng([
      header(PLAIN, 3),
      chunk("PLTE", PALETTE.flat()),
      chunk("IDAT", deflateSync(Uint8Array.from(indices()))),
      IEND,
    ]),
    picture: paint(HEIGHT, WIDTH, (_, x) => PALETTE[x % 5] ?? [0, 0, 0]),
  },
  odd("acTL of no frame", [IHDR, animationOf(0), IDAT, IEND]),
  odd("acTL of 2³¹+1 frames", [IHDR, animationOf(2 ** 31 + 1), IDAT, IEND]),
  odd("acTL after the picture", [IHDR, IDAT, animationOf(2), IEND]),
  odd("a cut acTL", [IHDR, chunk("acTL", [0, 0]), IDAT, IEND], NOT_BY_PILLOW),
  odd(
    "acTL without a frame",
    [IHDR, animationOf(2), IDAT, IEND],
  ),
  odd(
    "a default picture that is no frame",
    [IHDR, animationOf(1), IDAT, control(0), frameData(1, OTHER), IEND],
    { shown: OTHER },
  ),
  odd(
    "a damaged default picture that is no frame",
    [
      IHDR,
      animationOf(1),
      chunk("IDAT", [1, 2, 3]),
      control(0),
      frameData(1, OTHER),
      IEND,
    ],
    { ...NOT_BY_PILLOW, picture: OTHER, shown: OTHER },
  ),
  odd(
    "a default picture of a wrong checksum that is no frame",
    [
      IHDR,
      animationOf(1),
      { ...IDAT, flip: 1 },
      control(0),
      frameData(1, OTHER),
      IEND,
    ],
    {
      unlikePillow: "it does not check picture data",
      picture: OTHER,
      shown: OTHER,
    },
  ),
  odd("a frame without data beside a default picture that is none", [
    IHDR,
    animationOf(1),
    IDAT,
    control(0),
    IEND,
  ]),
  odd("a damaged second frame", [
    IHDR,
    animationOf(2),
    control(0),
    IDAT,
    control(1),
    { ...frameData(2, OTHER), flip: 1 },
    IEND,
  ]),
  odd("a second frame out of the canvas", [
    IHDR,
    animationOf(2),
    control(0),
    IDAT,
    control(1, 5),
    frameData(2, OTHER),
    IEND,
  ]),
  turned("eXIf", [IHDR, chunk("eXIf", EXIF), IDAT, IEND]),
  turned("eXIf after the picture", [IHDR, IDAT, chunk("eXIf", EXIF), IEND]),
  turned("eXIf with its prefix", [
    IHDR,
    chunk("eXIf", [...latin1("Exif\0\0"), ...EXIF]),
    IDAT,
    IEND,
  ]),
  ...(["MM", "II"] as const).map((order) =>
    turned(`orientation as LONG, ${order}`, [
      IHDR,
      chunk("eXIf", exifBlock({ order, type: 4 })),
      IDAT,
      IEND,
    ])
  ),
  turned("orientation in XMP", [
    IHDR,
    chunk("iTXt", `XML:com.adobe.xmp\0\0\0\0\0${XMP_PACKET}`),
    IDAT,
    IEND,
  ]),
  turned("orientation as an element of XMP", [
    IHDR,
    chunk("iTXt", `XML:com.adobe.xmp\0\0\0en\0xmp\0${XMP_ELEMENT}`),
    IDAT,
    IEND,
  ]),
  turned("orientation in compressed XMP", [
    IHDR,
    chunk("iTXt", [
      ...latin1("XML:com.adobe.xmp\0\x01\0\0\0"),
      ...deflateSync(latin1(XMP_PACKET)),
    ]),
    IDAT,
    IEND,
  ]),
  turned("orientation in a raw profile", [
    IHDR,
    chunk("tEXt", `Raw profile type exif\0${rawProfile(EXIF)}`),
    IDAT,
    IEND,
  ]),
  turned("orientation in a compressed raw profile", [
    IHDR,
    compressedText("Raw profile type exif", rawProfile(EXIF)),
    IDAT,
    IEND,
  ]),
  {
    ...turned("orientation in a raw profile APP1", [
      IHDR,
      compressedText("Raw profile type APP1", rawProfile(EXIF)),
      IDAT,
      IEND,
    ]),
    unlikePillow: "it does not look there",
  },
  turned("EXIF of nothing beside XMP", [
    IHDR,
    chunk("eXIf", [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 0]),
    chunk("iTXt", `XML:com.adobe.xmp\0\0\0\0\0${XMP_PACKET}`),
    IDAT,
    IEND,
  ]),
  odd("a damaged raw profile", [
    IHDR,
    chunk("zTXt", "Raw profile type exif\0\0\x78\x9c!"),
    chunk("tEXt", "Raw profile type APP1\0exif"),
    chunk("iTXt", "XML:com.adobe.xmp\0\x01\0"),
    IDAT,
    IEND,
  ]),
];

/** Returns rows of indices 0 to 4, without filter. */
function indices(): number[] {
  return Array.from(
    { length: HEIGHT },
    () => [0, ...Array.from({ length: WIDTH }, (_, x) => x % 5)],
  ).flat();
}
