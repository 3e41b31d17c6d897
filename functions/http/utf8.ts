/**
 * The UTF-8 decoder for bodies: long ones are decoded one slice per turn of the
 * event loop.
 *
 * @module
 */

import { SLICE, turn } from "../metrics/event_loop.ts";

/**
 * Decodes UTF-8.
 *
 * @param fatal True if invalid bytes throw; otherwise they become U+FFFD.
 * @throws {TypeError} If they are not UTF-8 and `fatal` is true.
 */
export async function decodeUtf8(
  bytes: Uint8Array,
  { fatal }: { readonly fatal: boolean },
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal });
  let text = "";
  for (let start = 0; start < bytes.length; start += SLICE) {
    if (start > 0) await turn();
    const slice = bytes.subarray(start, start + SLICE);
    text += decoder.decode(slice, { stream: true });
  }
  return text + decoder.decode();
}
