/**
 * The interface of encoders: files of pictures → codes, here or on servers.
 *
 * @module
 */

import type { CodeGrid } from "../../../lib/grid.ts";
import { readHeader } from "../../../lib/image/header.ts";
import type { RgbImage } from "../../../lib/image/image.ts";
import type { PictureCodec } from "../../../lib/image/picture_codec.ts";
import {
  type TrainingSizeOptions,
  trainingSizes,
} from "../../../lib/tuning/training_sizes.ts";

/** Facts of a vision tokenizer that determine codes. */
export interface TokenizerFacts {
  /** Name of the checkpoint. */
  readonly name: string;
  /** Pixels along each side of one code. */
  readonly factor: number;
  /** The least area of a picture, in pixels². */
  readonly minPixels: number;
  /** The greatest area of a picture, in pixels². */
  readonly maxPixels: number;
}

/** An encoder of pictures. */
export interface PictureEncoder extends AsyncDisposable {
  /** Facts of the vision tokenizer. */
  readonly tokenizer: TokenizerFacts;
  /** Area of the first released resize, in pixels². */
  readonly imageArea: number;
  /** Number of concurrent pictures for full utilization. */
  readonly capacity: number;
  /**
   * Encodes the picture in `bytes`, as the released processor decodes it.
   *
   * @throws {Emu3Error} If the picture is unusable.
   */
  readonly encode: (
    bytes: Uint8Array,
    signal: AbortSignal,
  ) => Promise<CodeGrid>;
}

/** Area of the released script, for models that state none, in pixels². */
export const RELEASED_AREA: number = 720 * 720;

/**
 * Pixels of the largest picture that is decoded, as of a server: a JPEG of them
 * takes 2 GB while it is decoded.
 */
const MAX_PIXELS = 2 ** 26;

/** Decodes the picture in `bytes` and resizes it for tuning. */
export async function decodeForTraining(
  codec: PictureCodec,
  bytes: Uint8Array,
  options: TrainingSizeOptions,
  signal: AbortSignal,
): Promise<RgbImage> {
  const [size, second] = trainingSizes(readHeader(bytes), options);
  const image = await codec.decodeImage(bytes, {
    decode: "reference",
    maxPixels: MAX_PIXELS,
    size,
  }, { signal });
  return second === undefined
    ? image
    : await codec.resize(image, second, { signal });
}
