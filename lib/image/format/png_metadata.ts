/**
 * The orientation in a PNG's metadata, in any of the common forms.
 *
 * ```text
 * eXIf │ EXIF
 * zTXt or tEXt │ "Raw profile type exif" │ "\nexif\n  <bytes>\n<hexadecimal>"
 * iTXt │ "XML:com.adobe.xmp" │ XMP
 * ```
 *
 * Damage is not an error, since a picture can be shown without its metadata.
 * Source: W3C PNG, third edition; ImageMagick's raw profiles; XMP Specification
 * Part 3, 1.1.5.
 *
 * @module
 */

import { inflateSync } from "node:zlib";
import { exifOrientation, type Orientation } from "../metadata/exif.ts";
import { xmpOrientation } from "../metadata/xmp_orientation.ts";

/** One chunk. */
export interface PngChunk {
  /** Type, four letters; a capital first letter marks a critical chunk. */
  readonly type: string;
  /** Data without length, type and CRC. */
  readonly data: Uint8Array;
}

/**
 * The maximum number of bytes of inflated metadata, which bounds the reading
 * time.
 */
const MAX_TEXT_BYTES = 2 ** 20;

/** Returns the orientation in the metadata; 1 if there is none. */
export function pngOrientation(chunks: readonly PngChunk[]): Orientation {
  const exif = chunks.find(({ type }) => type === "eXIf")?.data ??
    rawProfile(chunks, "exif") ?? rawProfile(chunks, "APP1");
  const ofExif = exif && exifOrientation(exif);
  if (ofExif !== undefined) return ofExif;
  const packet = textOf(chunks, "XML:com.adobe.xmp");
  return packet && xmpOrientation(packet) || 1;
}

/**
 * Returns the bytes of a profile that ImageMagick wrote as hexadecimal text.
 */
function rawProfile(
  chunks: readonly PngChunk[],
  name: string,
): Uint8Array | undefined {
  const text = textOf(chunks, `Raw profile type ${name}`);
  if (text === undefined) return undefined;
  const [, digits] = /^\s*\S+\s+\d+\s+([\da-f\s]+)/i.exec(latin1(text)) ?? [];
  const pairs = digits?.replaceAll(/\s/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** Returns the text of the first chunk with `keyword`, uncompressed. */
function textOf(
  chunks: readonly PngChunk[],
  keyword: string,
): Uint8Array | undefined {
  for (const { type, data } of chunks) {
    if (!/^(tEXt|zTXt|iTXt)$/.test(type)) continue;
    if (latin1(data.subarray(0, keyword.length + 1)) !== `${keyword}\0`) {
      continue;
    }
    const rest = data.subarray(keyword.length + 1);
    if (type === "tEXt") return rest;
    if (type === "zTXt") return inflated(rest.subarray(1));
    const text = afterZeros(rest.subarray(2), 2); // language, translated keyword
    return rest[0] === 0 ? text : inflated(text);
  }
  return undefined;
}

function afterZeros(data: Uint8Array, zeros: number): Uint8Array {
  let at = 0;
  for (let i = 0; i < zeros; i++) {
    const zero = data.indexOf(0, at);
    at = zero === -1 ? data.length : zero + 1;
  }
  return data.subarray(at);
}

function inflated(data: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(data, { maxOutputLength: MAX_TEXT_BYTES });
  } catch {
    return undefined;
  }
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
