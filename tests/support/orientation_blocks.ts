/**
 * The ways to store a clockwise rotation: orientation 6.
 *
 * @module
 */

import { latin1 } from "./png_parts.ts";

/** Returns an EXIF block of one entry: orientation 6. */
export function exifBlock(
  { order, type }: { readonly order: "MM" | "II"; readonly type: 3 | 4 },
): Uint8Array {
  const bytes = new Uint8Array(26);
  const view = new DataView(bytes.buffer);
  const little = order === "II";
  bytes.set(latin1(order));
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 1, little);
  view.setUint16(10, 0x0112, little);
  view.setUint16(12, type, little);
  view.setUint32(14, 1, little);
  if (type === 3) view.setUint16(18, 6, little);
  else view.setUint32(18, 6, little);
  return bytes;
}

/** XMP packet of one property: orientation 6. */
export const XMP_PACKET =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';

/** XMP packet with the property as an element. */
export const XMP_ELEMENT = XMP_PACKET.replace(
  ' tiff:Orientation="6"/>',
  "><tiff:Orientation>6</tiff:Orientation></rdf:Description>",
);

/** Returns a profile in hexadecimal, as written by ImageMagick. */
export function rawProfile(block: Uint8Array): string {
  const bytes = Uint8Array.from([...latin1("Exif\0\0"), ...block]);
  const lines = bytes.toHex().match(/.{1,72}/g)!.join("\n");
  return `\nexif\n${String(bytes.length).padStart(8)}\n${lines}\n`;
}
