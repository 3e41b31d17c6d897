/**
 * The orientation in an XMP packet, for pictures without EXIF.
 *
 * ```text
 * <rdf:Description tiff:Orientation="6" …>    or    <tiff:Orientation>6</…>
 * ```
 *
 * The packet is matched by a pattern, as in Pillow, because it is untrusted XML
 * and only one number is needed. Source: XMP Specification Part 2, 3.5.
 *
 * @module
 */

import { knownOrientation, type Orientation } from "./exif.ts";

/** The maximum number of characters that are searched. */
const MAX_LENGTH = 2 ** 20;

/** Returns the orientation in a packet; undefined if there is none. */
export function xmpOrientation(packet: Uint8Array): Orientation | undefined {
  const text = new TextDecoder().decode(packet.subarray(0, MAX_LENGTH));
  const [, digits] = /tiff:Orientation\s*(?:=\s*["']|>)\s*(\d)/.exec(text) ??
    [];
  return digits === undefined ? undefined : knownOrientation(Number(digits));
}
