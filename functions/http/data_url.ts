/**
 * The decoder of bytes in text form: a data URL or bare base64.
 *
 * ```text
 * data:image/png;charset=utf-8;base64,iVBORw0KGgo…     %2B for +, _ for /
 * data:image/png,%89PNG%0D%0A…                         bytes, percent-encoded
 * iVBORw0KGgo…
 * ```
 *
 * Long texts are decoded one slice per turn of the event loop. Source: RFC
 * 2397, and WHATWG Fetch, data: URLs.
 *
 * @module
 */

import { decodeBase64 } from "./base64.ts";
import { SLICE, turn } from "../metrics/event_loop.ts";

/**
 * Decodes a data URL, or base64 of either alphabet.
 *
 * @throws {SyntaxError} If it is neither.
 */
export async function decodeDataUrl(
  text: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!DATA_URL.test(text)) return await decodeBase64(await unescaped(text));
  const head = text.slice(0, MAX_HEAD);
  const comma = head.indexOf(",");
  if (comma === -1) throw new SyntaxError("a data URL must contain a comma");
  const fragment = text.indexOf("#", comma);
  const data = text.slice(comma + 1, fragment === -1 ? undefined : fragment);
  // Clients also append other parameters after it.
  const isBase64 = /;\s*base64\s*(;|$)/i.test(head.slice(0, comma));
  return isBase64
    ? await decodeBase64(await unescaped(data))
    : await percentDecoded(new TextEncoder().encode(data));
}

const DATA_URL = /^\s{0,64}data:/i;

/** Maximum characters before the comma. */
const MAX_HEAD = 1024;

/** Returns base64 without its percent-encoding. */
async function unescaped(text: string): Promise<string> {
  if (!text.includes("%")) return text;
  const bytes = await percentDecoded(new TextEncoder().encode(text));
  return new TextDecoder().decode(bytes);
}

const PERCENT = 0x25;

/**
 * Decodes percent-encoding.
 *
 * @param bytes Bytes of the text; overwritten.
 */
async function percentDecoded(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    if (at > 0) await turn();
    const end = Math.min(at + SLICE, bytes.length);
    while (at < end) {
      const value = bytes[at] === PERCENT ? hexValue(bytes, at + 1) : undefined;
      bytes[length++] = value ?? bytes[at]!;
      at += value === undefined ? 1 : 3;
    }
  }
  return bytes.subarray(0, length);
}

/** Returns the value of two hexadecimal digits; undefined if they are none. */
function hexValue(bytes: Uint8Array, at: number): number | undefined {
  const high = digitValue(bytes[at]);
  const low = digitValue(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high << 4 | low;
}

function digitValue(code = 0): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
