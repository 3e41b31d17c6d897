/**
 * What results hold.
 *
 * @module
 */

import type { ImageContent } from "./tool.ts";

/** A picture, from its file. */
export function imageContent(
  bytes: Uint8Array,
  mimeType: string,
): ImageContent {
  return { type: "image", data: bytes.toBase64(), mimeType };
}
