/**
 * The GIFs of unusual encoders, made by code, and the picture in each.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "../../lib/image/image.ts";
import { paint } from "./pictures.ts";
import type { OddPicture } from "./odd_pictures.ts";

/** The parts of a GIF, well-formed by default. */
export interface GifParts {
  /** Size of the logical screen. */
  readonly screen?: PixelSize;
  /** Flags of the screen; those of a palette of four colors by default. */
  readonly flags?: number;
  /** Palette, `[colors, 3]`. */
  readonly palette?: readonly number[];
  /** Frames in the order of time. */
  readonly frames: readonly GifFrameParts[];
  /** Bytes between the palette and the first block. */
  readonly before?: readonly number[];
  /** Bytes instead of the trailer. */
  readonly end?: readonly number[];
}

/** The parts of a frame. */
export interface GifFrameParts extends PixelSize, LzwOptions {
  /** Indices, `[height, width]`, in the order of storage. */
  readonly indices: readonly number[];
  /** Left offset in pixels; 0 by default. */
  readonly left?: number;
  /** Top offset in pixels; 0 by default. */
  readonly top?: number;
  /** Flags of the descriptor. */
  readonly flags?: number;
  /** Local palette, `[colors, 3]`. */
  readonly palette?: readonly number[];
  /** Disposal method; if set, a graphic control is written. */
  readonly disposal?: number;
  /** Transparent index; if set, a graphic control is written. */
  readonly transparent?: number;
  /** Bytes before the descriptor. */
  readonly before?: readonly number[];
  /** Transforms the data, code size and sub-blocks included. */
  readonly change?: (data: number[]) => number[];
}

/** The options of the LZW encoder. */
interface LzwOptions {
  /** False to omit the clear code at the start. */
  readonly clear?: boolean;
  /** False to omit the clear code when the table is full. */
  readonly clearWhenFull?: boolean;
  /** False to omit the end code. */
  readonly endCode?: boolean;
  /** Bits of an index; 2 by default. */
  readonly indexBits?: number;
}

const COLORS = [200, 10, 20, 30, 180, 40, 50, 60, 220, 250, 240, 70];

/** Writes a GIF, also a malformed one. */
export function oddGif(parts: GifParts): Uint8Array<ArrayBuffer> {
  const { frames, palette = COLORS, flags = 0x81, before = [] } = parts;
  const screen = parts.screen ?? frames[0]!;
  return Uint8Array.from([
    ...new TextEncoder().encode("GIF89a"),
    ...uint16(screen.width),
    ...uint16(screen.height),
    ...[flags, 0, 0],
    ...palette,
    ...before,
    ...frames.flatMap(frameBytes),
    ...(parts.end ?? [0x3b]),
  ]);
}

function frameBytes(frame: GifFrameParts): number[] {
  const { left = 0, top = 0, height, width, flags = 0 } = frame;
  const { palette = [], before = [], change = (data) => data } = frame;
  return [
    ...graphicControl(frame),
    ...before,
    ...[0x2c, ...uint16(left), ...uint16(top)],
    ...[...uint16(width), ...uint16(height), flags],
    ...palette,
    ...change(lzw(frame.indices, frame)),
  ];
}

function graphicControl({ disposal, transparent }: GifFrameParts): number[] {
  if (disposal === undefined && transparent === undefined) return [];
  const flags = (disposal ?? 0) << 2 | (transparent === undefined ? 0 : 1);
  return [0x21, 0xf9, 4, flags, 10, 0, transparent ?? 0, 0];
}

/** Compresses indices: code size, sub-blocks, terminator. */
function lzw(indices: readonly number[], options: LzwOptions): number[] {
  const { clear = true, clearWhenFull = true, endCode = true } = options;
  const { indexBits = 2 } = options;
  const clearCode = 1 << indexBits;
  const bits: number[] = [];
  let table = new Map<string, number>();
  let size = clearCode + 2;
  let width = indexBits + 1;
  const write = (code: number) => {
    for (let i = 0; i < width; i++) bits.push(code >> i & 1);
  };
  if (clear) write(clearCode);
  const codeOf = (text: string) =>
    text.includes(",") ? table.get(text) : Number(text);
  let string = "";
  for (const index of indices) {
    const longer = string === "" ? `${index}` : `${string},${index}`;
    if (codeOf(longer) !== undefined) {
      string = longer;
      continue;
    }
    write(codeOf(string)!);
    if (size < 4096) {
      table.set(longer, size++);
      if (size - 1 === 1 << width && width < 12) width++;
    } else if (clearWhenFull) {
      write(clearCode);
      table = new Map();
      size = clearCode + 2;
      width = indexBits + 1;
    }
    string = `${index}`;
  }
  if (string !== "") write(codeOf(string)!);
  // The reader adds a string for the last code, too.
  if (size === 1 << width && width < 12) width++;
  if (endCode) write(clearCode + 1);
  return [indexBits, ...subBlocks(bytesOf(bits)), 0];
}

function bytesOf(bits: readonly number[]): number[] {
  const bytes = new Array<number>(Math.ceil(bits.length / 8)).fill(0);
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= bit << (i & 7);
  return bytes;
}

function subBlocks(bytes: readonly number[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    out.push(block.length, ...block);
  }
  return out;
}

function uint16(value: number): number[] {
  return [value & 255, value >> 8];
}

const HEIGHT = 11;
const WIDTH = 13;

/** Returns the index at row y, column x of the picture in most files. */
const indexAt = (y: number, x: number) => (x * y + (x >> 2) + y) % 4;

const INDICES = Array.from(
  { length: HEIGHT * WIDTH },
  (_, i) => indexAt(Math.floor(i / WIDTH), i % WIDTH),
);

/** Parts of a plain frame, to be modified. */
export const PLAIN_FRAME: GifFrameParts = {
  height: HEIGHT,
  width: WIDTH,
  indices: INDICES,
};

function colorAt(index: number, palette: readonly number[] = COLORS) {
  const [red = 0, green = 0, blue = 0] = palette.slice(3 * index);
  return [red, green, blue] as const;
}

const PLAIN = paint(HEIGHT, WIDTH, (y, x) => colorAt(indexAt(y, x)));

/** Places the picture on a larger canvas in the color of index 0. */
function placed(size: PixelSize, top: number, left: number): RgbImage {
  return paint(size.height, size.width, (y, x) => {
    const inside = y >= top && x >= left && y < top + HEIGHT &&
      x < left + WIDTH;
    return colorAt(inside ? indexAt(y - top, x - left) : 0);
  });
}

function stored(rows: readonly number[]): number[] {
  return rows.flatMap((y) => INDICES.slice(y * WIDTH, (y + 1) * WIDTH));
}

const LARGE = { height: 120, width: 130 };

/** Noise, whose strings fill the table of codes several times. */
const NOISE = Array.from(
  { length: LARGE.height * LARGE.width },
  (_, i) => (i * i * 7919 >>> 5) % 251,
);

const GRAYS = Array.from({ length: 256 }, (_, i) => [i, 255 - i, i ^ 85])
  .flat();

const noise = paint(
  LARGE.height,
  LARGE.width,
  (y, x) => colorAt(NOISE[y * LARGE.width + x]!, GRAYS),
);

const noiseParts = {
  flags: 0x87,
  palette: GRAYS,
  frames: [{ ...LARGE, indices: NOISE, indexBits: 8 }],
};

const comment = (text: string) => [
  ...[0x21, 0xfe, ...(text === "" ? [] : [text.length])],
  ...new TextEncoder().encode(text),
  0,
];

/** Creates an odd file of the plain picture. */
function odd(
  name: string,
  parts: Partial<GifParts>,
  more: Partial<OddPicture> = {},
): OddPicture {
  const bytes = oddGif({ frames: [PLAIN_FRAME], ...parts });
  return { name: `${name}.gif`, bytes, picture: PLAIN, ...more };
}

const PASSES_THE_END = {
  unlikePillow: "it takes what follows an empty extension for its data",
};

/** Creates an odd file of one frame. */
function oddFrame(name: string, frame: Partial<GifFrameParts>): OddPicture {
  return odd(name, { frames: [{ ...PLAIN_FRAME, ...frame }] });
}

/** Frame that no reader decodes. */
const BROKEN_FRAME: GifFrameParts = {
  ...PLAIN_FRAME,
  change: () => [2, 2, 0xff, 0xff, 0],
};

/** Odd GIFs of every kind. The first frame is the picture. */
export const ODD_GIFS: readonly OddPicture[] = [
  oddFrame("no leading clear code", { clear: false }),
  oddFrame("no end code", { endCode: false }),
  oddFrame("an end code missing, zeros after it", {
    endCode: false,
    change: (data) => [...data.slice(0, -1), 2, 0, 0, 0],
  }),
  oddFrame("sub-blocks of one byte", {
    change: ([bits = 0, , ...data]) => [
      bits,
      ...data.slice(0, -1).flatMap((byte) => [1, byte]),
      0,
    ],
  }),
  oddFrame("more pixels than the frame has", { indices: [...INDICES, 1, 2] }),
  oddFrame("a wider code than the palette needs", { indexBits: 5 }),
  odd("a palette with a code of one bit more", {
    frames: [{ ...PLAIN_FRAME, indexBits: 3 }],
  }),
  odd("zeros between blocks", {
    before: [0, 0, 0],
    frames: [{ ...PLAIN_FRAME, before: [0, 0] }],
    end: [0, 0, 0x3b],
  }),
  odd("a zero instead of the trailer", { end: [0] }),
  odd("no trailer", { end: [] }),
  oddFrame("no terminator", { change: (data) => data.slice(0, -1) }),
  odd("no terminator and no trailer", {
    frames: [{ ...PLAIN_FRAME, change: (data) => data.slice(0, -1) }],
    end: [],
  }),
  odd("bytes after the trailer", { end: [0x3b, 1, 2, 0x2c, 0x21] }),
  odd("bytes between blocks", { before: [1, 7, 0x55] }),
  odd("an empty comment", { before: comment("") }),
  odd("comments", { before: [...comment("a"), ...comment("longer")] }),
  odd(
    "an empty application extension",
    { before: [0x21, 0xff, 0] },
    PASSES_THE_END,
  ),
  odd("an unknown extension", { before: [0x21, 0x42, 3, 1, 2, 3, 0] }),
  odd("an empty unknown extension", { before: [0x21, 0, 0] }, PASSES_THE_END),
  odd("an empty graphic control", { before: [0x21, 0xf9, 0] }, PASSES_THE_END),
  odd("a long graphic control", {
    before: [0x21, 0xf9, 6, 0, 0, 0, 0, 0, 0, 0],
  }),
  odd("a plain text extension", {
    before: [0x21, 0x01, 12, ...new Array(12).fill(0), 1, 65, 0],
  }),
  odd("a cut extension after the picture", { end: [0x21, 0xfe, 9, 1, 2] }),
  odd("a canvas of 0×0", { screen: { height: 0, width: 0 } }),
  odd("a frame larger than its canvas", { screen: { height: 4, width: 5 } }),
  {
    name: "a frame that sticks out of its canvas.gif",
    bytes: oddGif({
      screen: { height: 12, width: 14 },
      frames: [{ ...PLAIN_FRAME, top: 3, left: 4 }],
    }),
    picture: placed({ height: HEIGHT + 3, width: WIDTH + 4 }, 3, 4),
  },
  {
    name: "a frame smaller than its canvas.gif",
    bytes: oddGif({
      screen: { height: 20, width: 22 },
      frames: [{ ...PLAIN_FRAME, top: 3, left: 4 }],
    }),
    picture: placed({ height: 20, width: 22 }, 3, 4),
  },
  {
    name: "no palette.gif",
    bytes: oddGif({ flags: 1, palette: [], frames: [PLAIN_FRAME] }),
    picture: paint(HEIGHT, WIDTH, (y, x) => {
      const level = indexAt(y, x);
      return [level, level, level];
    }),
  },
  {
    name: "a palette shorter than its indices.gif",
    bytes: oddGif({
      flags: 0x80,
      palette: COLORS.slice(0, 6),
      frames: [PLAIN_FRAME],
    }),
    picture: paint(
      HEIGHT,
      WIDTH,
      (y, x) => colorAt(indexAt(y, x), COLORS.slice(0, 6)),
    ),
  },
  odd("a palette of the frame alone", {
    flags: 1,
    palette: [],
    frames: [{ ...PLAIN_FRAME, flags: 0x81, palette: COLORS }],
  }),
  oddFrame("interlace", {
    flags: 0x40,
    indices: stored([0, 8, 4, 2, 6, 10, 1, 3, 5, 7, 9]),
  }),
  oddFrame("a transparent color", { transparent: 2 }),
  oddFrame("a transparent index beyond the palette", { transparent: 200 }),
  oddFrame("a disposal of no meaning", { disposal: 7 }),
  odd("a damaged second frame", { frames: [PLAIN_FRAME, BROKEN_FRAME] }),
  odd("a cut second frame", {
    frames: [PLAIN_FRAME, {
      ...PLAIN_FRAME,
      change: (data) => data.slice(0, 9),
    }],
    end: [],
  }),
  odd("a cut descriptor of a second frame", { end: [0x2c, 0, 0, 0] }),
  {
    name: "full tables.gif",
    bytes: oddGif(noiseParts),
    picture: noise,
  },
  {
    name: "deferred clear codes.gif",
    bytes: oddGif({
      ...noiseParts,
      frames: [{ ...noiseParts.frames[0]!, clearWhenFull: false }],
    }),
    picture: noise,
  },
];
