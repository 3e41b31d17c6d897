/**
 * The memory of a run of the vision tokenizer.
 *
 * @module
 */

import type { VisionConfig } from "../../models/config/vision_config.ts";
import { DTYPE_BYTES } from "../../models/graph/dtype.ts";

/** The bytes of memory that runs take for each pixel, beside the weights. */
export interface RunBytes {
  /** Bytes for each pixel that is encoded. */
  readonly encode: number;
  /** Bytes for each pixel that is decoded. */
  readonly decode: number;
}

/**
 * The memory of a run in activations of the largest size. Two of them are live
 * while the encoder normalizes one, four in the decoder; the CPU's arena grows
 * by doubling, a device's by what is requested.
 */
const ACTIVATIONS: Readonly<Record<"host" | "device", RunBytes>> = {
  host: { encode: 3.5, decode: 5 },
  device: { encode: 2.5, decode: 4 },
};

/** Returns the bytes of memory that runs take for each pixel. */
export function runBytesPerPixel(
  { baseChannels, channelMultipliers }: VisionConfig,
  memory: "host" | "device",
): RunBytes {
  // The decoder doubles the sides of a level before it reduces the channels.
  const channels = channelMultipliers.map((factor, level) =>
    factor * baseChannels / 4 ** Math.max(0, level - 1)
  );
  const bytes = DTYPE_BYTES.float32 * Math.max(...channels);
  const { encode, decode } = ACTIVATIONS[memory];
  return { encode: encode * bytes, decode: decode * bytes };
}
