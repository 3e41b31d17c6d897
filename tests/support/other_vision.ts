/**
 * The application of a tiny server with a replaced vision tokenizer.
 *
 * @module
 */

import type { Hono } from "hono";
import { createApp } from "../../functions/app.ts";
import type { AppEnv } from "../../functions/http/context.ts";
import type { VisionModel } from "../../functions/models/ports.ts";
import { appOptions, type TinyServer } from "./tiny_server.ts";

/**
 * Returns the application; `change` derives the vision tokenizer from the real
 * one.
 */
export function withVision(
  { services }: TinyServer,
  change: (vision: VisionModel) => VisionModel,
): Hono<AppEnv> {
  return createApp({
    codec: services.codec,
    pixels: services.pixels,
    limits: services.limits,
    imageGenerator: (model) => {
      const generator = services.imageGenerator(model);
      return { ...generator, vision: change(plain(generator.vision)) };
    },
    captioner: (model) => services.captioner(model),
    vision: (model) => services.vision(model),
    text: (model) => services.text(model),
    models: () => services.models(),
  }, appOptions().options);
}

/** Copies an instance into a record that can be spread. */
function plain(vision: VisionModel): VisionModel {
  return {
    encode: (...input) => vision.encode(...input),
    decode: (...input) => vision.decode(...input),
    encodeClip: (...input) => vision.encodeClip(...input),
    decodeClip: (...input) => vision.decodeClip(...input),
    pixelsPerCode: vision.pixelsPerCode,
    framesPerCode: vision.framesPerCode,
    codebookSize: vision.codebookSize,
    runBytesPerPixel: vision.runBytesPerPixel,
    deviceMemoryBytes: vision.deviceMemoryBytes,
    checkpoint: vision.checkpoint,
  };
}
