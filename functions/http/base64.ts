/**
 * The base64 decoder for bodies: long texts are decoded one slice per turn of
 * the event loop.
 *
 * @module
 */

import { SLICE, turn } from "../metrics/event_loop.ts";

/** Minimum characters of a text that waits for a turn of its own. */
const LONG = 2 ** 16;

/** White space that base64 may hold, as `Uint8Array.fromBase64` has it. */
const WHITE_SPACE = /[\t\n\f\r ]+/g;

/** Characters of the URL-safe alphabet, which many clients send. */
const URL_SAFE = /[-_]/;

/**
 * Decodes base64 of either alphabet, with or without padding and white space.
 *
 * @throws {SyntaxError} If it is not base64.
 */
export async function decodeBase64(
  text: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (text.length <= LONG) return Uint8Array.fromBase64(standard(text));
  const bytes = new Uint8Array(3 * Math.ceil(text.length / 4));
  const padding = text.indexOf("=");
  const end = padding === -1 ? text.length : padding;
  let length = 0;
  // Characters of a group that the next slice completes.
  let rest = "";
  for (let start = 0; start < end; start += SLICE) {
    await turn();
    const slice = rest +
      standard(text.slice(start, Math.min(start + SLICE, end)));
    const { read, written } = bytes.subarray(length).setFromBase64(slice, {
      lastChunkHandling: "stop-before-partial",
    });
    length += written;
    rest = slice.slice(read).replace(WHITE_SPACE, "");
  }
  if (text.length - end > SLICE) {
    throw new SyntaxError("base64 data follows its padding");
  }
  await turn();
  const last = Uint8Array.fromBase64(rest + text.slice(end));
  bytes.set(last, length);
  return bytes.subarray(0, length + last.length);
}

/** Returns base64 in the standard alphabet. */
function standard(text: string): string {
  return URL_SAFE.test(text)
    ? text.replaceAll("-", "+").replaceAll("_", "/")
    : text;
}
