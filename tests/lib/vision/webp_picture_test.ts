/**
 * WebPs as other programs write them.
 */

import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";
import { decodeFrames, decodeImage } from "../../../lib/vision/decode.ts";
import {
  readWebpChunks,
  readWebpHeader,
  type WebpChunk,
  writeWebpChunks,
} from "../../../lib/vision/format/webp.ts";
import { XMP_PACKET } from "../../support/orientation_blocks.ts";
import { goldenBytes } from "../../support/pictures.ts";

const reference = { decode: "reference", maxPixels: 1_000_000 } as const;
const display = { decode: "display", maxPixels: 1_000_000 } as const;

/** A picture with transparent pixels that have colors. */
const still = goldenBytes("preprocess/alpha.webp");
const { height, width } = readWebpHeader(still);

function extended(flags: number): WebpChunk {
  const data = new Uint8Array(10);
  data[0] = flags;
  data.set([width - 1, 0, 0, height - 1, 0, 0], 4);
  return { name: "VP8X", data };
}

/** The still as a frame that fills the canvas. */
function frame(
  { over, clear }: { readonly over: boolean; readonly clear: boolean },
): WebpChunk {
  const picture = readWebpChunks(still).filter(({ name }) =>
    /^(ALPH|VP8 |VP8L)$/.test(name)
  );
  const data = writeWebpChunks(picture).subarray(12);
  const head = [0, 0, 0, 0, 0, 0, width - 1, 0, 0, height - 1, 0, 0, 50, 0, 0];
  const flags = (over ? 0 : 2) | (clear ? 1 : 0);
  return { name: "ANMF", data: Uint8Array.of(...head, flags, ...data) };
}

function animation(...frames: WebpChunk[]): Uint8Array {
  const start = [extended(0x12), { name: "ANIM", data: new Uint8Array(6) }];
  return writeWebpChunks([...start, ...frames]);
}

Deno.test("decodeFrames() keeps the colors of a WebP's transparent pixels for the reference", async () => {
  const expected = await decodeImage(still, reference);
  notDeepStrictEqual(expected, await decodeImage(still, display));
  for (const over of [true, false]) {
    const bytes = animation(
      frame({ over, clear: true }),
      frame({ over, clear: false }),
    );
    deepStrictEqual(await decodeImage(bytes, reference), expected);
    deepStrictEqual(await decodeFrames(bytes, reference), [expected, expected]);
    const [shown] = await decodeFrames(bytes, display);
    deepStrictEqual(shown, await decodeImage(still, display));
  }
});

Deno.test("decodeImage() turns a WebP as XMP asks", async () => {
  const picture = readWebpChunks(still).filter(({ name }) => name !== "VP8X");
  const packet = new TextEncoder().encode(XMP_PACKET);
  const bytes = writeWebpChunks([
    extended(0x14),
    ...picture,
    { name: "XMP ", data: packet },
  ]);
  const shown = await decodeImage(bytes, display);
  deepStrictEqual([shown.height, shown.width], [width, height]);
  deepStrictEqual(
    await decodeImage(bytes, reference),
    await decodeImage(still, reference),
  );
});
