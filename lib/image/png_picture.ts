/**
 * The decoder of PNG and APNG pictures.
 *
 * ```text
 * chunks ─▶ default picture (IDAT) ─┬▶ still
 *        └▶ frames (fcTL, IDAT or fdAT) ─▶ clip; the first frame is also a still
 * ```
 *
 * Frames are read on demand, so damage to later frames does not affect earlier
 * ones.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { composeFrames, type PlacedFrame } from "./canvas.ts";
import {
  announcedFrames,
  type PngShape,
  readChunks,
  readPngShape,
  soundData,
  type StoredChunk,
} from "./format/png.ts";
import { blendExactly, blendLikePillow } from "./alpha_blend.ts";
import { decodePngData, type PngColors } from "./png_pixels.ts";
import type { RgbaImage } from "./rgba.ts";

/**
 * Decodes a still PNG, or the first frame of an animation on its canvas. A
 * default picture that is not a frame is meant for readers without APNG; it
 * replaces a damaged first frame.
 */
export async function decodePng(bytes: Uint8Array): Promise<RgbaImage> {
  const png = readPng(bytes, "high");
  if (!hasHiddenDefault(png)) return await defaultPicture(png);
  return await firstFrame(png).catch(() => defaultPicture(png));
}

/**
 * Decodes the default picture as PIL's `convert("RGB")` does, without alpha. If
 * it is damaged and not a frame, the first frame replaces it.
 */
export async function decodePngAsReference(
  bytes: Uint8Array,
): Promise<RgbaImage> {
  const png = readPng(bytes, "clip");
  if (!hasHiddenDefault(png)) return await defaultPicture(png);
  return await defaultPicture(png).catch(() => firstFrame(png));
}

/**
 * Decodes every frame of an APNG on its canvas, which is overwritten by the
 * next; a still PNG gives one.
 *
 * @throws {ImageError} If there are fewer frames than declared, or one is
 * damaged.
 */
export function decodePngFrames(
  bytes: Uint8Array,
  { reference }: { readonly reference: boolean },
): AsyncGenerator<RgbaImage, void, undefined> {
  return shownFrames(readPng(bytes, reference ? "clip" : "high"));
}

/** A PNG before its pixels are decoded. */
interface Png {
  readonly bytes: Uint8Array;
  readonly chunks: readonly StoredChunk[];
  readonly shape: PngShape;
  readonly colors: PngColors;
  /** Frames; undefined for a still picture. */
  readonly frames: readonly Frame[] | undefined;
}

/** A frame of an APNG before it is decoded. */
interface Frame {
  readonly control: StoredChunk;
  readonly data: StoredChunk[];
  /** True if its data is the default picture. */
  isDefault: boolean;
}

function readPng(bytes: Uint8Array, gray16: PngColors["gray16"]): Png {
  const chunks = readChunks(bytes);
  const shape = readPngShape(bytes, chunks);
  const find = (wanted: string) => {
    const chunk = chunks.find(({ type }) => type === wanted);
    return chunk && soundData(bytes, chunk);
  };
  // tRNS has no meaning with alpha, and neither has a suggested palette with
  // RGB.
  const palette = shape.colorType === 3 ? find("PLTE") : undefined;
  const transparency = shape.colorType < 4 ? find("tRNS") : undefined;
  const count = announcedFrames(chunks);
  return {
    bytes,
    chunks,
    shape,
    colors: { palette, transparency, gray16 },
    frames: count === undefined ? undefined : splitFrames(chunks, count),
  };
}

/** Returns true if the default picture is not a frame of the animation. */
function hasHiddenDefault({ frames = [] }: Png): boolean {
  return frames[0]?.isDefault === false;
}

async function defaultPicture(
  { bytes, chunks, shape, colors }: Png,
): Promise<RgbaImage> {
  const data = chunks.filter(({ type }) => type === "IDAT")
    .map((chunk) => soundData(bytes, chunk));
  return await decodePngData(shape, colors, data);
}

function shownFrames(
  png: Png,
): AsyncGenerator<RgbaImage, void, undefined> {
  const layOver = png.colors.gray16 === "clip" ? blendLikePillow : blendExactly;
  return composeFrames(png.shape, placedFrames(png), { layOver });
}

async function firstFrame(png: Png): Promise<RgbaImage> {
  for await (const image of shownFrames(png)) return image;
  throw new ImageError("the APNG is damaged: frames are missing");
}

async function* placedFrames(
  png: Png,
): AsyncGenerator<PlacedFrame, void, undefined> {
  const { shape, colors, frames, bytes } = png;
  if (frames === undefined) {
    yield { image: await defaultPicture(png), ...whole };
    return;
  }
  const announced = announcedFrames(png.chunks);
  for (const [i, { control, data, isDefault }] of frames.entries()) {
    const { height, width, ...placing } = frameControl(png, control);
    // Skips the sequence number of an fdAT.
    const parts = data.map((chunk) =>
      soundData(bytes, chunk).subarray(isDefault ? 0 : 4)
    );
    const image = await decodePngData(
      { ...shape, height, width },
      colors,
      parts,
    );
    const first = i === 0 ? { blend: "source" } as const : {};
    yield { image, ...placing, ...first };
  }
  if (frames.length !== announced) {
    throw new ImageError("the APNG is damaged: frames are missing");
  }
}

/**
 * Groups picture data into the declared number of frames. Data before the first
 * frame control is the default picture, which is then not a frame.
 */
function splitFrames(chunks: readonly StoredChunk[], count: number): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    if (chunk.type === "fcTL") {
      if (frames.length === count) break;
      frames.push({ control: chunk, data: [], isDefault: false });
    }
    const frame = frames.at(-1);
    if (frame === undefined) continue;
    if (chunk.type === "IDAT" && frames.length === 1) frame.isDefault = true;
    const wanted = frame.isDefault ? "IDAT" : "fdAT";
    if (chunk.type === wanted) frame.data.push(chunk);
  }
  return frames;
}

/** Placement of a still picture on its canvas. */
const whole = { top: 0, left: 0, blend: "source", dispose: "keep" } as const;

const disposals = ["keep", "clear", "previous"] as const;

function frameControl(
  { bytes, shape }: Png,
  chunk: StoredChunk,
): Omit<PlacedFrame, "image"> & { height: number; width: number } {
  const data = soundData(bytes, chunk);
  if (data.length < 26) throw new ImageError("the APNG is damaged");
  const view = new DataView(data.buffer, data.byteOffset);
  const width = view.getUint32(4);
  const height = view.getUint32(8);
  const left = view.getUint32(12);
  const top = view.getUint32(16);
  if (
    width === 0 || height === 0 ||
    left + width > shape.width || top + height > shape.height
  ) {
    throw new ImageError("a frame of the APNG exceeds its canvas");
  }
  const dispose = disposals[data[24]!];
  if (dispose === undefined) throw new ImageError("the APNG is damaged");
  const blend = data[25] === 0 ? "source" : "over";
  return { height, width, left, top, dispose, blend };
}
