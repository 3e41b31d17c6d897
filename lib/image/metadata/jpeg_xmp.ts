/**
 * The writer of XMP into a JPEG.
 *
 * ```text
 * SOI │ APP1 length "http://ns.adobe.com/xap/1.0/\0" packet │ the rest, unchanged
 * ```
 *
 * Source: XMP Specification Part 3, 1.1.3.
 *
 * @module
 */

const NAMESPACE = "http://ns.adobe.com/xap/1.0/\0";

/** The maximum length of a segment, by its two bytes of length. */
const MAX_SEGMENT = 0xffff;

/**
 * Returns `jpeg` with `packet` as its XMP; unchanged if the packet is too long
 * for a segment.
 */
export function withXmp(
  jpeg: Uint8Array,
  packet: string,
): Uint8Array<ArrayBuffer> {
  const data = new TextEncoder().encode(NAMESPACE + packet);
  const length = data.length + 2;
  if (length > MAX_SEGMENT) return Uint8Array.from(jpeg);
  const marked = new Uint8Array(jpeg.length + length + 2);
  marked.set(jpeg.subarray(0, 2));
  marked.set([0xff, 0xe1, length >> 8, length & 0xff], 2);
  marked.set(data, 6);
  marked.set(jpeg.subarray(2), 4 + length);
  return marked;
}
