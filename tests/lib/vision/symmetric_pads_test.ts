/** The graphs of devices with symmetric padding only, on the CPU. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { CPU_PROVIDER } from "../../../lib/runtime/provider.ts";
import { float32 } from "../../support/safetensors.ts";
import { maxDifference, openTinyVision } from "../../support/tiny.ts";
import { clips, framesOf, golden, images } from "../../support/vq_golden.ts";

/** The tolerance of sums in another order. */
const TOLERANCE = 1e-5;

const symmetricPads = { ...CPU_PROVIDER, symmetricPads: true };

Deno.test("Pictures have the same latents with symmetric pads", async () => {
  await using plain = await openTinyVision();
  await using symmetric = await openTinyVision(undefined, symmetricPads);
  for (const { name, resized_hw: size } of images) {
    const [picture] = framesOf(name, size);
    const latent = await symmetric.vision.latent([picture!]);
    const expected = await plain.vision.latent([picture!]);
    ok(maxDifference(latent, expected) < TOLERANCE, name);
    ok(maxDifference(latent, float32(golden, `${name}.latent`)) < 2e-4);
  }
});

Deno.test("Clips have the same codes and pixels with symmetric pads", async () => {
  await using plain = await openTinyVision();
  await using symmetric = await openTinyVision(undefined, symmetricPads);
  const [{ name, resized_hw: size }] = clips as [typeof clips[number]];
  const frames = framesOf(name, size).slice(0, plain.vision.framesPerCode);
  const codes = await symmetric.vision.encodeClip(frames);
  deepStrictEqual(codes, await plain.vision.encodeClip(frames));
  const pixels = await symmetric.vision.pixels(codes, "clip");
  const expected = await plain.vision.pixels(codes, "clip");
  ok(maxDifference(pixels, expected) < TOLERANCE);
});
