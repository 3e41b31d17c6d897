/**
 * The conversion of a PNG's samples to eight-bit RGB with alpha.
 *
 * Colors of transparent pixels are kept, whether alpha or the tRNS chunk makes
 * them transparent.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import type { PngShape } from "./format/png.ts";
import { PNG_CHANNELS, type PngRow, pngRows } from "./format/png_rows.ts";
import type { RgbaImage } from "./rgba.ts";

/** The parts of a PNG that its colors depend on. */
export interface PngColors {
  /** Data of PLTE, `[colors, 3]`. */
  readonly palette: Uint8Array | undefined;
  /** Data of tRNS. */
  readonly transparency: Uint8Array | undefined;
  /**
   * The conversion of 16-bit gray to 8-bit: its high byte, or clipped at 255.
   */
  readonly gray16: "high" | "clip";
}

/**
 * Decodes a picture.
 *
 * @param shape Shape of the picture, which may be a frame of a larger one.
 * @param data Compressed rows, in parts.
 * @throws {ImageError} If data is damaged or ends early, or a palette is
 * missing.
 */
export async function decodePngData(
  shape: PngShape,
  colors: PngColors,
  data: readonly Uint8Array[],
): Promise<RgbaImage> {
  const { height, width, depth, colorType } = shape;
  const pixels = new Uint8ClampedArray(height * width * 4);
  const colorize = colorizer(shape, colors);
  const channels = PNG_CHANNELS[colorType]!;
  const samples = new Uint16Array(width * channels);
  for await (const row of pngRows(shape, data)) {
    const { top, left, down, right } = row.pass;
    unpack(row, depth, samples.subarray(0, row.pass.width * channels));
    const start = ((top + row.y * down) * width + left) * 4;
    colorize(samples, row.pass.width, { pixels, start, step: 4 * right });
  }
  return { height, width, pixels };
}

/**
 * @param samples Samples `[width × channels]`; overwritten.
 */
function unpack(
  { bytes }: PngRow,
  depth: number,
  samples: Uint16Array,
): void {
  if (depth === 8) {
    samples.set(bytes);
    return;
  }
  if (depth === 16) {
    for (let i = 0; i < samples.length; i++) {
      samples[i] = bytes[2 * i]! << 8 | bytes[2 * i + 1]!;
    }
    return;
  }
  const mask = (1 << depth) - 1;
  for (let i = 0; i < samples.length; i++) {
    const bit = i * depth;
    samples[i] = bytes[bit >> 3]! >> (8 - depth - (bit & 7)) & mask;
  }
}

/** The location of a row's pixels. */
interface Target {
  /** Pixels `[height, width, 4]`; overwritten. */
  readonly pixels: Uint8ClampedArray;
  /** Offset of the first pixel. */
  readonly start: number;
  /** Distance from one pixel to the next. */
  readonly step: number;
}

/** A function that writes the colors of a row of `width` pixels. */
type Colorizer = (samples: Uint16Array, width: number, target: Target) => void;

function colorizer(shape: PngShape, colors: PngColors): Colorizer {
  switch (shape.colorType) {
    case 0:
      return gray(shape, colors);
    case 2:
      return rgb(shape, colors);
    case 3:
      return indexed(colors);
    case 4:
      return grayWithAlpha(shape);
    default:
      return rgbWithAlpha(shape);
  }
}

function gray({ depth }: PngShape, colors: PngColors): Colorizer {
  const clip = depth === 16 && colors.gray16 === "clip";
  const scale = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  const shift = depth === 16 && !clip ? 8 : 0;
  const [key] = keyOf(colors.transparency, 1, depth);
  return (samples, width, { pixels, start, step }) => {
    let at = start;
    for (let x = 0; x < width; x++) {
      const sample = samples[x]!;
      // The array clamps.
      const level = (sample >> shift) * scale;
      pixels[at] = level;
      pixels[at + 1] = level;
      pixels[at + 2] = level;
      pixels[at + 3] = sample === key ? 0 : 255;
      at += step;
    }
  };
}

function rgb({ depth }: PngShape, colors: PngColors): Colorizer {
  const shift = depth - 8;
  const [red, green, blue] = keyOf(colors.transparency, 3, depth);
  return (samples, width, { pixels, start, step }) => {
    let at = start;
    for (let x = 0; x < width; x++) {
      const r = samples[3 * x]!;
      const g = samples[3 * x + 1]!;
      const b = samples[3 * x + 2]!;
      pixels[at] = r >> shift;
      pixels[at + 1] = g >> shift;
      pixels[at + 2] = b >> shift;
      pixels[at + 3] = r === red && g === green && b === blue ? 0 : 255;
      at += step;
    }
  };
}

/**
 * Returns a colorizer for palette indices. An index beyond the palette is
 * black, as in Pillow and browsers.
 */
function indexed({ palette, transparency }: PngColors): Colorizer {
  if (palette === undefined) {
    throw new ImageError("the PNG is damaged: it has no palette");
  }
  const table = new Uint8Array(256 * 4);
  for (let index = 0; index < 256; index++) {
    table.set(palette.subarray(3 * index, 3 * index + 3), 4 * index);
    table[4 * index + 3] = transparency?.[index] ?? 255;
  }
  return (samples, width, { pixels, start, step }) => {
    let at = start;
    for (let x = 0; x < width; x++) {
      const color = 4 * samples[x]!;
      pixels[at] = table[color]!;
      pixels[at + 1] = table[color + 1]!;
      pixels[at + 2] = table[color + 2]!;
      pixels[at + 3] = table[color + 3]!;
      at += step;
    }
  };
}

function grayWithAlpha({ depth }: PngShape): Colorizer {
  const shift = depth - 8;
  return (samples, width, { pixels, start, step }) => {
    let at = start;
    for (let x = 0; x < width; x++) {
      const level = samples[2 * x]! >> shift;
      pixels[at] = level;
      pixels[at + 1] = level;
      pixels[at + 2] = level;
      pixels[at + 3] = samples[2 * x + 1]! >> shift;
      at += step;
    }
  };
}

function rgbWithAlpha({ depth }: PngShape): Colorizer {
  const shift = depth - 8;
  return (samples, width, { pixels, start, step }) => {
    let at = start;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 4; c++) {
        pixels[at + c] = samples[4 * x + c]! >> shift;
      }
      at += step;
    }
  };
}

/**
 * Returns the transparent color, one sample per channel; undefined without one.
 */
function keyOf(
  transparency: Uint8Array | undefined,
  channels: number,
  depth: number,
): number[] {
  if (transparency === undefined || transparency.length < 2 * channels) {
    return [];
  }
  const { buffer, byteOffset } = transparency;
  const view = new DataView(buffer, byteOffset);
  // Bits above the depth are ignored.
  return Array.from(
    { length: channels },
    (_, i) => view.getUint16(2 * i) & (2 ** depth - 1),
  );
}
