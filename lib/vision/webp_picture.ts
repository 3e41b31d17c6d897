/**
 * WebP → pixels.
 *
 * The codec takes stills only. A frame of an animation is a still in other
 * wrapping, so each is written out as a WebP of its own.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { composeFrames, type PlacedFrame } from "./canvas.ts";
import { decodeWebp } from "./codec/webp.ts";
import {
  pictureSize,
  readWebpChunks,
  readWebpHeader,
  riffChunks,
  uint24,
  type WebpChunk,
  writeWebpChunks,
} from "./format/webp.ts";
import type { PixelSize } from "./image.ts";
import type { RgbaImage } from "./rgba.ts";

/** Decodes a still WebP, or the first frame of an animation on its canvas. */
export async function decodeWebpStill(bytes: Uint8Array): Promise<RgbaImage> {
  const canvas = readWebpHeader(bytes);
  if (!canvas.animated) {
    return await decodeWebp(plainWebp(readWebpChunks(bytes), canvas));
  }
  for await (const shown of composeFrames(canvas, decodeWebpFrames(bytes))) {
    return shown;
  }
  throw new ImageError("the WebP holds no picture");
}

/** Decodes an animated WebP frame by frame. */
export async function* decodeWebpFrames(
  bytes: Uint8Array,
): AsyncGenerator<PlacedFrame, void, undefined> {
  const canvas = readWebpHeader(bytes);
  for (const { name, data } of readWebpChunks(bytes)) {
    if (name !== "ANMF") continue;
    const { height, width, picture, ...placing } = readFrame(data, canvas);
    const image = await decodeWebp(plainWebp(picture, { height, width }));
    yield { image, ...placing };
  }
}

type FrameData = PixelSize & Omit<PlacedFrame, "image"> & {
  /** The still's own chunks. */
  readonly picture: WebpChunk[];
};

function readFrame(data: Uint8Array, canvas: PixelSize): FrameData {
  if (data.length < 16) throw new ImageError("the WebP is cut short");
  const left = 2 * uint24(data, 0);
  const top = 2 * uint24(data, 3);
  const width = uint24(data, 6) + 1;
  const height = uint24(data, 9) + 1;
  const flags = data[15]!;
  const picture = riffChunks(data.subarray(16));
  const size = pictureSize(picture);
  if (
    size.height !== height || size.width !== width ||
    left + width > canvas.width || top + height > canvas.height
  ) {
    throw new ImageError("a frame of the WebP does not fit its place");
  }
  return {
    height,
    width,
    left,
    top,
    picture,
    blend: flags & 2 ? "source" : "over",
    dispose: flags & 1 ? "clear" : "keep",
  };
}

/** A WebP of nothing but the picture: metadata can be damaged, and is not needed. */
function plainWebp(
  chunks: readonly WebpChunk[],
  { height, width }: PixelSize,
): Uint8Array {
  const picture = chunks.filter(({ name }) => /^(ALPH|VP8 |VP8L)$/.test(name));
  if (!picture.some(({ name }) => name === "ALPH")) {
    return writeWebpChunks(picture);
  }
  // Alpha beside a lossy picture counts only when the header announces it.
  const extended = new Uint8Array(10);
  extended[0] = 0x10;
  const view = new DataView(extended.buffer);
  view.setUint32(4, width - 1, true);
  view.setUint16(7, (height - 1) & 0xffff, true);
  extended[9] = (height - 1) >> 16;
  return writeWebpChunks([{ name: "VP8X", data: extended }, ...picture]);
}
