/**
 * The encoder on this machine: all cores decode, resize and encode.
 *
 * Small pictures keep a core busy each: every core has a session of its own,
 * since several cores on one small picture mostly wait for each other. A large
 * picture has work for all cores, and memory for one at a time.
 *
 * @module
 */

import pLimit from "p-limit";
import { openPicturePool } from "../../../lib/image/threads/picture_pool.ts";
import { openVisionCheckpoint } from "../../../lib/loading/checkpoint.ts";
import { openRuntime } from "../../../lib/runtime/open_runtime.ts";
import type { Resize } from "../../../lib/tuning/training_sizes.ts";
import { VisionTokenizer } from "../../../lib/vision/vision_tokenizer.ts";
import type { CommandDevice } from "../../command/device.ts";
import { decodeForTraining, type PictureEncoder } from "./picture_encoder.ts";

/** Area up to which a picture is small, in pixels². */
const SMALL_PIXELS = 256 * 256;

/** Pictures that are decoded ahead of each session. */
const AHEAD = 2;

/** Options of an encoder. */
export interface LocalEncoderOptions extends CommandDevice {
  /** Folder of the vision tokenizer. */
  readonly folder: string;
  /** Number of cores to use. */
  readonly threads: number;
  /** Called with the reason that a GPU is not used. */
  readonly warn: (line: string) => void;
  /** Kind of resizing. */
  readonly resize: Resize;
  /** Area of the first released resize, in pixels². */
  readonly imageArea: number;
}

/**
 * Opens an encoder.
 *
 * @throws {CheckpointError} If the vision tokenizer cannot be opened.
 * @throws {RuntimeError} If the device cannot be used.
 */
export async function openLocalEncoder(
  options: LocalEncoderOptions,
): Promise<PictureEncoder> {
  const { folder, threads, resize, imageArea } = options;
  const checkpoint = await openVisionCheckpoint(folder);
  const { minPixels, maxPixels } = checkpoint.preprocessor;
  const small = maxPixels <= SMALL_PIXELS;
  await using opened = new AsyncDisposableStack();
  const codec = opened.use(
    openPicturePool({ now: () => performance.now(), threads }),
  );
  const runtime = opened.use(
    await openRuntime({
      ...options,
      threads: small ? 1 : threads,
      computeDtype: undefined,
      deviceMemoryBytes: undefined,
    }),
  );
  const lanes = small && runtime.device === undefined ? threads : 1;
  const free = Array.from(
    { length: lanes },
    () => opened.use(new VisionTokenizer(runtime, checkpoint)),
  );
  for (const vision of free) await vision.load("encode");
  const { name } = checkpoint;
  const { pixelsPerCode: factor } = free[0]!;
  const tokenizer = { name, factor, minPixels, maxPixels };
  const sizes = { ...tokenizer, resize, imageArea };
  const limit = pLimit(lanes);
  const closing = opened.move();
  return {
    tokenizer,
    imageArea,
    capacity: lanes * (1 + AHEAD),
    encode: async (bytes, signal) => {
      const image = await decodeForTraining(codec, bytes, sizes, signal);
      return await limit(async () => {
        // There are as many turns as sessions.
        const vision = free.pop()!;
        try {
          return await vision.encode(image, signal);
        } finally {
          free.push(vision);
        }
      });
    },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}
