/**
 * The reader of the EXIF orientation.
 *
 * ```text
 * "II" or "MM" │ 42 │ offset of directory ─▶ count │ 12-byte entries …
 * ```
 *
 * Only the first directory is read. Own code, because a package for all of EXIF
 * would be many times as large.
 *
 * @module
 */

/**
 * The EXIF orientation of a stored picture.
 *
 * 1 as it is, 2 mirrored, 3 upside down, 4 flipped, 5 transposed, 6 turned
 * clockwise, 7 transposed over the other diagonal, 8 turned counterclockwise.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 0x0112;

/**
 * Returns the orientation in an EXIF block; undefined if there is none.
 *
 * Damage is not an error, since a picture can be shown without its metadata.
 *
 * @param block EXIF from its byte order mark; a leading "Exif\0\0" is skipped.
 */
export function exifOrientation(block: Uint8Array): Orientation | undefined {
  const prefixed = block[0] === 0x45 && block[1] === 0x78; // "Ex"
  const tiff = prefixed ? block.subarray(6) : block;
  if (tiff.length < 8) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return undefined;
  const little = mark === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return undefined;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.length) break;
    if (view.getUint16(entry, little) === orientationTag) {
      const type = view.getUint16(entry + 2, little);
      return knownOrientation(numberAt(view, entry + 8, { type, little }));
    }
  }
  return undefined;
}

/** Returns `value` if it is an orientation. */
export function knownOrientation(value: number): Orientation | undefined {
  return orientations.find((orientation) => orientation === value);
}

const orientations: readonly Orientation[] = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Reads a whole number of any type: the standard requires SHORT, but some
 * programs write others.
 */
function numberAt(
  view: DataView,
  at: number,
  { type, little }: { readonly type: number; readonly little: boolean },
): number {
  switch (type) {
    case 1: // BYTE
    case 6: // SBYTE
    case 7: // UNDEFINED
      return view.getUint8(at);
    case 4: // LONG
    case 9: // SLONG
      return view.getUint32(at, little);
    default:
      return view.getUint16(at, little);
  }
}
