/**
 * The containers of video files, by their first bytes.
 *
 * A reader of videos is told the container, so that it never guesses one: a
 * playlist, which names other files, is no video here.
 *
 * @module
 */

/** A supported container: MP4 and QuickTime, or WebM and Matroska. */
export type VideoContainer = "mov" | "matroska";

/** The first boxes of MP4. AVIF and HEIC begin like it, but are pictures. */
const MOV = /^[^]{4}(ftyp(?!avi[fs]|hei|hev|mif1|msf1)|moov|mdat|wide)/;

/** The first bytes of Matroska, the identifier of EBML. */
const MATROSKA = "\x1aE\xdf\xa3";

/** Returns the container of a video; undefined for any other file. */
export function videoContainer(bytes: Uint8Array): VideoContainer | undefined {
  // Latin-1, so that a character is a byte.
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  if (MOV.test(head)) return "mov";
  return head.startsWith(MATROSKA) ? "matroska" : undefined;
}

/** The length of a box's header: size and type. */
const BOX_HEADER = 8;

/**
 * Returns true if a box of an MP4 ends after the file. A decoder may notice
 * nothing if the file ends between two samples.
 */
export function isTruncatedMov(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + BOX_HEADER <= bytes.length) {
    const short = view.getUint32(at);
    // A size of 0 reaches to the end of the file, 1 is followed by 64 bits.
    if (short === 0) return false;
    if (short === 1 && at + 2 * BOX_HEADER > bytes.length) return true;
    const size = short === 1
      ? Number(view.getBigUint64(at + BOX_HEADER))
      : short;
    // Bytes after the last box, which players ignore.
    if (size < BOX_HEADER) return false;
    at += size;
  }
  return at > bytes.length;
}
