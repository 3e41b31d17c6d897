import { deepStrictEqual } from "node:assert/strict";
import { runBytesPerPixel } from "../../../lib/vision/run_memory.ts";
import { parseVisionConfig } from "../../../models/config/vision_config.ts";

Deno.test("runBytesPerPixel() counts the widest activation of a pixel", () => {
  // 512 channels of level 1, doubled to the sides of the picture.
  const published = parseVisionConfig({});
  deepStrictEqual(runBytesPerPixel(published, "host"), {
    encode: 3.5 * 4 * 512,
    decode: 5 * 4 * 512,
  });
  deepStrictEqual(runBytesPerPixel(published, "device"), {
    encode: 2.5 * 4 * 512,
    decode: 4 * 4 * 512,
  });
  // Level 0 is the widest; level 2 has a quarter of the pixels of the picture.
  const flat = parseVisionConfig({ "ch": 32, "ch_mult": [4, 2, 8] });
  deepStrictEqual(runBytesPerPixel(flat, "host").decode, 5 * 4 * 128);
});
