/**
 * The writer of XMP into an MP4.
 *
 * ```text
 * ftyp │ moov │ moof mdat … │ uuid be7acfcb-97a9-42e8-9c71-999491e3afac, packet
 * ```
 *
 * The box is the last one, so that no offset in the others changes; a reader
 * that looks for an index of fragments at the end (`mfra`) must find none.
 * Source: XMP Specification Part 3, 1.1.4; ISO/IEC 14496-12, 4.2.
 *
 * @module
 */

import { joinBytes } from "../format/join_bytes.ts";

/** Type of the box that holds XMP. */
const XMP_UUID = Uint8Array.fromHex("be7acfcb97a942e89c71999491e3afac");

/** Bytes before a box's data: its length, and its type. */
const HEADER_BYTES = 8;

/** Returns `mp4`, a file without `mfra`, with `packet` as its XMP. */
export function withMp4Xmp(
  mp4: Uint8Array,
  packet: string,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(packet);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, HEADER_BYTES + XMP_UUID.length + text.length);
  const type = new TextEncoder().encode("uuid");
  return joinBytes([mp4, new Uint8Array(length.buffer), type, XMP_UUID, text]);
}
