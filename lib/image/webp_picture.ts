/**
 * The decoder of WebP pictures.
 *
 * The codec supports stills only. A frame of an animation contains a still, so
 * each frame is rewritten as a WebP file and decoded.
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
import { blendLikeLibwebp } from "./alpha_blend.ts";
import type { RgbaImage } from "./rgba.ts";

/** Decodes a still WebP, or the first frame of an animation on its canvas. */
export async function decodeWebpStill(bytes: Uint8Array): Promise<RgbaImage> {
  const canvas = readWebpHeader(bytes);
  if (!canvas.animated) {
    return await decodeWebp(plainWebp(readWebpChunks(bytes), canvas));
  }
  for await (const shown of decodeWebpFrames(bytes)) return shown;
  throw new ImageError("the WebP has no image data");
}

/**
 * Decodes every frame of an animated WebP on its canvas, which is overwritten
 * by the next.
 */
export function decodeWebpFrames(
  bytes: Uint8Array,
): AsyncGenerator<RgbaImage, void, undefined> {
  const canvas = readWebpHeader(bytes);
  const frames = placedFrames(bytes, canvas);
  return composeFrames(canvas, frames, { layOver: blendLikeLibwebp });
}

async function* placedFrames(
  bytes: Uint8Array,
  canvas: PixelSize,
): AsyncGenerator<PlacedFrame, void, undefined> {
  let before: (FrameData & { readonly isKey: boolean }) | undefined;
  for (const { name, data } of readWebpChunks(bytes)) {
    if (name !== "ANMF") continue;
    const frame = readFrame(data, canvas);
    const { height, width, picture, ...placing } = frame;
    const image = await decodeWebp(plainWebp(picture, { height, width }));
    // Libwebp starts a new canvas if nothing of the old one remains, or if the
    // previous frame was cleared; it then keeps the colors of transparent
    // pixels.
    const isKey = before === undefined ||
      before.dispose === "clear" && (before.isKey || fills(before, canvas));
    const blend = isKey ? "source" : frame.blend;
    const bare = before?.dispose === "clear" ? before : undefined;
    yield { image, ...placing, blend, bare };
    before = {
      ...frame,
      isKey: isKey || frame.blend === "source" && fills(frame, canvas),
    };
  }
}

function fills(frame: PixelSize, canvas: PixelSize): boolean {
  return frame.height === canvas.height && frame.width === canvas.width;
}

type FrameData = PixelSize & Omit<PlacedFrame, "image"> & {
  /** Chunks of the still. */
  readonly picture: WebpChunk[];
};

function readFrame(data: Uint8Array, canvas: PixelSize): FrameData {
  if (data.length < 16) throw new ImageError("the WebP is truncated");
  const left = 2 * uint24(data, 0);
  const top = 2 * uint24(data, 3);
  const flags = data[15]!;
  const picture = riffChunks(data.subarray(16));
  // The size in the bit stream applies, not the frame's, as in libwebp.
  const { height, width } = pictureSize(picture);
  if (left + width > canvas.width || top + height > canvas.height) {
    throw new ImageError("a frame of the WebP exceeds its canvas");
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

/** Returns a WebP of the picture without metadata, which may be damaged. */
function plainWebp(
  chunks: readonly WebpChunk[],
  { height, width }: PixelSize,
): Uint8Array {
  const picture = chunks.filter(({ name }) => /^(ALPH|VP8 |VP8L)$/.test(name));
  if (picture.some(({ isCut }) => isCut)) {
    throw new ImageError("the WebP is truncated");
  }
  if (!picture.some(({ name }) => name === "ALPH")) {
    return writeWebpChunks(picture);
  }
  // The alpha of a lossy picture applies only if the header declares it.
  const extended = new Uint8Array(10);
  extended[0] = 0x10;
  const view = new DataView(extended.buffer);
  view.setUint32(4, width - 1, true);
  view.setUint16(7, (height - 1) & 0xffff, true);
  extended[9] = (height - 1) >> 16;
  return writeWebpChunks([{ name: "VP8X", data: extended }, ...picture]);
}
