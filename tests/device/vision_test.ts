/**
 * The tests of a vision tokenizer on a device: it gives the reference's codes
 * and images, since it always computes in fp32.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import { float32, int32 } from "../support/safetensors.ts";
import { maxDifference, VISION_FOLDERS } from "../support/tiny.ts";
import {
  assertCodes,
  clips,
  framesOf,
  golden,
  images,
} from "../support/vq_golden.ts";
import { openDevice, openDeviceVision } from "./devices.ts";

/** Tolerance of fp32 pixels between different kernels. */
const PIXEL_TOLERANCE = 5e-4;

for (const name of VISION_FOLDERS) {
  Deno.test(`encode() of ${name} gives the reference's codes, decode() its pixels`, async () => {
    await using runtime = await openDevice();
    await using vision = await openDeviceVision(runtime, name);
    for (const { name: image, resized_hw: size } of images) {
      const [picture] = framesOf(image, size);
      const grid = await vision.encode(picture!);
      const expected = int32(golden, `${image}.codes`);
      assertCodes(grid.codes, expected, float32(golden, `${image}.margin`));
      const { height, width } = grid;
      const codes = Uint16Array.from(expected);
      const clip = { frames: 1, height, width, codes };
      const pixels = await vision.pixels(clip, "still");
      const worst = maxDifference(pixels, float32(golden, `${image}.decoded`));
      ok(worst < PIXEL_TOLERANCE, `${image}: ${worst}`);
    }
  });
}

Deno.test("encode() of a clip gives the reference's codes, chunk by chunk", async () => {
  await using runtime = await openDevice();
  await using vision = await openDeviceVision(runtime);
  const [{ name, resized_hw: size }] = clips as [typeof clips[number]];
  const { codes } = await vision.encodeClip(framesOf(name, size));
  assertCodes(
    codes,
    int32(golden, `${name}.chunk_codes`),
    float32(golden, `${name}.chunk_margin`),
  );
});
