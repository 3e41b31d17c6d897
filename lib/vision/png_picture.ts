/**
 * PNG → pixels: the chunks that make the picture, given to the codec.
 *
 * Every picture, and every frame of an animation, is written out as a plain
 * PNG of its own first. So damage to metadata costs nothing, the codec sees no
 * animation, and what PIL sees differently can be arranged: transparent colors
 * are kept by leaving tRNS out, and 16-bit gray keeps its low byte.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import type { PlacedFrame } from "./canvas.ts";
import { decodeStill } from "./codec/imagescript.ts";
import { type PngChunk, readChunks, writeChunks } from "./format/png.ts";
import type { PixelSize } from "./image.ts";
import type { RgbaImage } from "./rgba.ts";

/** Decodes the default picture as a person sees it. */
export async function decodePng(bytes: Uint8Array): Promise<RgbaImage> {
  const chunks = readChunks(bytes);
  return await decodeStill(plainPng(chunks, pictureData(chunks)));
}

/** Decodes the default picture as PIL's `convert("RGB")` does; its alpha means nothing. */
export async function decodePngAsReference(
  bytes: Uint8Array,
): Promise<RgbaImage> {
  const chunks = readChunks(bytes).filter(({ type }) => type !== "tRNS");
  const header = headerOf(chunks);
  const gray16 = header[8] === 16 && header[9] === 0;
  if (!gray16) return await decodeStill(plainPng(chunks, pictureData(chunks)));
  // 16-bit gray has the layout of 8-bit gray with alpha: read as that, the
  // high byte comes out as gray and the low one as alpha.
  const split = header.slice();
  split[8] = 8;
  split[9] = 4;
  const relabeled = chunks.map((chunk) =>
    chunk.type === "IHDR" ? { type: "IHDR", data: split } : chunk
  );
  const { pixels, ...size } = await decodeStill(
    plainPng(relabeled, pictureData(relabeled)),
  );
  return { ...size, pixels: clipTo8Bits(pixels) };
}

/**
 * Decodes an APNG frame by frame; a still PNG gives one that fills the canvas.
 */
export async function* decodePngFrames(
  bytes: Uint8Array,
): AsyncGenerator<PlacedFrame, void, undefined> {
  const chunks = readChunks(bytes);
  for (const { control, data } of splitFrames(chunks)) {
    const { height, width, ...placing } = control;
    const image = await decodeStill(plainPng(chunks, data, { height, width }));
    yield { image, ...placing };
  }
}

/** PIL makes 16-bit gray 8-bit by clipping it. Relies on gray = high byte, alpha = low. */
function clipTo8Bits(pixels: Uint8ClampedArray): Uint8ClampedArray {
  const clipped = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i += 4) {
    const level = pixels[i]! > 0 ? 255 : pixels[i + 3]!;
    clipped.fill(level, i, i + 3);
  }
  return clipped;
}

/** A PNG of `data` with the colors of `chunks`, at `size` instead of theirs. */
function plainPng(
  chunks: readonly PngChunk[],
  data: readonly Uint8Array[],
  size?: PixelSize,
): Uint8Array {
  const header = headerOf(chunks).slice();
  if (size !== undefined) {
    const view = new DataView(header.buffer);
    view.setUint32(0, size.width);
    view.setUint32(4, size.height);
  }
  return writeChunks([
    { type: "IHDR", data: header },
    ...chunks.filter(({ type }) => type === "PLTE" || type === "tRNS"),
    ...data.map((part) => ({ type: "IDAT", data: part })),
    { type: "IEND", data: new Uint8Array() },
  ]);
}

function headerOf(chunks: readonly PngChunk[]): Uint8Array {
  const header = chunks.find(({ type }) => type === "IHDR")?.data;
  if (header?.length === 13) return header;
  throw new ImageError("the PNG has no header");
}

function pictureData(chunks: readonly PngChunk[]): Uint8Array[] {
  return chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
}

/** A frame before it is decoded. */
interface FrameData {
  readonly control: PixelSize & Omit<PlacedFrame, "image">;
  readonly data: Uint8Array[];
}

/**
 * Groups picture data by frame. Data before the first frame control is the
 * default picture, which is then no part of the animation.
 */
function splitFrames(chunks: readonly PngChunk[]): FrameData[] {
  const header = headerOf(chunks);
  const frames: FrameData[] = [];
  for (const { type, data } of chunks) {
    if (type === "fcTL") {
      frames.push({ control: frameControl(data, header), data: [] });
    } else if (type === "IDAT") {
      frames.at(-1)?.data.push(data);
    } else if (type === "fdAT") {
      frames.at(-1)?.data.push(data.subarray(4)); // past its sequence number
    }
  }
  const announced = chunks.find(({ type }) => type === "acTL")?.data;
  if (announced === undefined) {
    const view = new DataView(header.buffer, header.byteOffset);
    const size = { width: view.getUint32(0), height: view.getUint32(4) };
    return [{ control: { ...size, ...whole }, data: pictureData(chunks) }];
  }
  const count = new DataView(announced.buffer, announced.byteOffset)
    .getUint32(0);
  if (frames.length !== count) {
    throw new ImageError("the APNG is damaged: frames are missing");
  }
  return frames;
}

/** How a still picture meets its canvas. */
const whole = { top: 0, left: 0, blend: "source", dispose: "keep" } as const;

const disposals = ["keep", "clear", "previous"] as const;

function frameControl(
  data: Uint8Array,
  header: Uint8Array,
): FrameData["control"] {
  if (data.length !== 26) throw new ImageError("the APNG is damaged");
  const view = new DataView(data.buffer, data.byteOffset);
  const canvas = new DataView(header.buffer, header.byteOffset);
  const width = view.getUint32(4);
  const height = view.getUint32(8);
  const left = view.getUint32(12);
  const top = view.getUint32(16);
  if (
    width === 0 || height === 0 ||
    left + width > canvas.getUint32(0) || top + height > canvas.getUint32(4)
  ) {
    throw new ImageError("a frame of the APNG sticks out of its canvas");
  }
  const dispose = disposals[data[24]!];
  if (dispose === undefined) throw new ImageError("the APNG is damaged");
  const blend = data[25] === 0 ? "source" : "over";
  return { height, width, left, top, dispose, blend };
}
