import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { decodeFrames } from "../../../../lib/image/decode.ts";
import { withGifXmp } from "../../../../lib/image/metadata/gif_xmp.ts";
import { animatedGif } from "../../../support/animations.ts";

const options = {
  decode: "display",
  maxPixels: 2 ** 16,
  maxFrames: 8,
} as const;

const frames = [40, 200].map((level) => ({
  height: 5,
  width: 7,
  pixels: new Uint8ClampedArray(3 * 35).fill(level),
}));
const gif = await animatedGif(frames, { framesPerSecond: 8 });

Deno.test("withGifXmp() adds the packet whole and changes no frame", async () => {
  const expected = await decodeFrames(gif, options);
  // Sub-blocks begin anywhere in the packet, whatever its bytes.
  const anyPacket = fc.string({
    unit: "grapheme",
    minLength: 1,
    maxLength: 900,
  });
  await fc.assert(
    fc.asyncProperty(anyPacket, async (packet) => {
      const marked = withGifXmp(gif, packet);
      const text = new TextDecoder().decode(marked);
      ok(text.includes(`XMP DataXMP${
        new TextDecoder().decode(
          new TextEncoder().encode(packet),
        )
      }`));
      deepStrictEqual(await decodeFrames(marked, options), expected);
    }),
    { numRuns: 50 },
  );
});

Deno.test("withGifXmp() adds to a GIF without a palette of its own", () => {
  const bare = new Uint8Array([...gif.subarray(0, 13), 0x3b]);
  bare[10] = 0;
  const marked = withGifXmp(bare, "packet");
  strictEqual(marked.length, 13 + 14 + 6 + 258 + 1);
  strictEqual(marked.at(-1), 0x3b);
});
