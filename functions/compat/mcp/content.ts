/**
 * The content of results.
 *
 * @module
 */

import type { ImageContent } from "./tool.ts";

/** Returns the picture content of a file. */
export function imageContent(
  bytes: Uint8Array,
  mimeType: string,
): ImageContent {
  return { type: "image", data: bytes.toBase64(), mimeType };
}
