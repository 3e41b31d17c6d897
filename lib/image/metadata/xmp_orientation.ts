/**
 * The orientation in an XMP packet, for pictures without EXIF.
 *
 * ```text
 * <rdf:Description tiff:Orientation="6" …>    or    <tiff:Orientation>6</…>
 * ```
 *
 * Matched as Pillow does, not parsed: a packet is untrusted XML, and one number is
 * of interest. Source: XMP Specification Part 2, 3.5.
 *
 * @module
 */

import { knownOrientation, type Orientation } from "./exif.ts";

/** Characters in which the number is looked for. */
const MAX_LENGTH = 2 ** 20;

/** Returns the orientation that a packet asks for; undefined when it asks for none. */
export function xmpOrientation(packet: Uint8Array): Orientation | undefined {
  const text = new TextDecoder().decode(packet.subarray(0, MAX_LENGTH));
  const [, digits] = /tiff:Orientation\s*(?:=\s*["']|>)\s*(\d)/.exec(text) ??
    [];
  return digits === undefined ? undefined : knownOrientation(Number(digits));
}
