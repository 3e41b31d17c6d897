/**
 * The division of a decoder's layers into parts, whose weights are packed side
 * by side.
 *
 * @module
 */

import type { LayerRange } from "../../models/decoder.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";

/**
 * The size of quantized weights from which layers are divided; smaller ones are
 * packed in less than a second.
 */
const DIVIDED_BYTES = 2 ** 30;

/** The largest number of parts; each adds a native call to every run. */
const MOST_PARTS = 4;

/**
 * Returns the number of parts for a checkpoint: one for each thread if packing
 * takes long. Devices do not pack, and float weights of that size stay mapped.
 */
export function defaultParts(
  { device, threads, sharesWeights }: Pick<
    Runtime,
    "device" | "threads" | "sharesWeights"
  >,
  { codeBits, byteLength }: Pick<LanguageCheckpoint, "codeBits" | "byteLength">,
): number {
  const packs = device === undefined && sharesWeights && codeBits !== undefined;
  return packs && byteLength > DIVIDED_BYTES
    ? Math.min(threads, MOST_PARTS)
    : 1;
}

/** Returns the layers of at most `most` parts, whose sizes differ by one. */
export function layerParts(
  layers: number,
  most: number,
): readonly LayerRange[] {
  const parts = Math.min(layers, most);
  const at = (part: number) => Math.floor(layers * part / parts);
  return Array.from(
    { length: parts },
    (_, part) => ({ start: at(part), end: at(part + 1) }),
  );
}
