/**
 * The orientation in an XMP packet, for pictures without EXIF.
 *
 * ```text
 * <rdf:Description tiff:Orientation="6" …>    or    <tiff:Orientation>6</…>
 * ```
 *
 * Matched as Pillow does, not parsed: a packet is untrusted XML, and only one
 * number matters. Source: XMP Specification Part 2, 3.5.
 *
 * @module
 */

import { knownOrientation, type Orientation } from "./exif.ts";

/** The most characters that are searched for the number. */
const MAX_LENGTH = 2 ** 20;

/** Returns the orientation that a packet asks for; undefined if none. */
export function xmpOrientation(packet: Uint8Array): Orientation | undefined {
  const text = new TextDecoder().decode(packet.subarray(0, MAX_LENGTH));
  const [, digits] = /tiff:Orientation\s*(?:=\s*["']|>)\s*(\d)/.exec(text) ??
    [];
  return digits === undefined ? undefined : knownOrientation(Number(digits));
}
