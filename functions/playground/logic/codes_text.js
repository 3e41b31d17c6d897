/**
 * The URL-safe format of codes: the sides, then two bytes per code, low byte
 * first, in base64url.
 *
 * ```text
 * 16x16.AbCd…     height and width
 * 8x16x16.AbCd…   frames of a clip, height and width
 * ```
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ height: number, width: number, codes: Uint16Array, frames?: number }} Grid
 * Codes; of a clip if `frames` is set.
 */

/**
 * @param {Grid} grid
 * @returns {string}
 */
export function codesToText({ frames, height, width, codes }) {
  const bytes = new Uint8Array(codes.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [i, code] of codes.entries()) view.setUint16(2 * i, code, true);
  const clip = frames === undefined ? "" : `${frames}x`;
  return `${clip}${height}x${width}.${base64Url(bytes)}`;
}

/**
 * @param {string} text
 * @returns {Grid | undefined} Undefined if the text is invalid.
 */
export function codesFromText(text) {
  const [, first, rows, columns, letters] =
    /^(?:(\d{1,4})x)?(\d{1,4})x(\d{1,4})\.([\w-]*)$/.exec(text) ?? [];
  const frames = Number(first ?? 1);
  const height = Number(rows);
  const width = Number(columns);
  const count = frames * height * width;
  const bytes = bytesOf(letters ?? "");
  if (!count || bytes?.length !== 2 * count) return undefined;
  const view = new DataView(bytes.buffer);
  const codes = Uint16Array.from(
    { length: count },
    (_, i) => view.getUint16(2 * i, true),
  );
  return { height, width, codes, ...(first !== undefined && { frames }) };
}

/** @param {Uint8Array} bytes */
function base64Url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_")
    .replace(/=+$/, "");
}

/**
 * @param {string} letters
 * @returns {Uint8Array<ArrayBuffer> | undefined}
 */
function bytesOf(letters) {
  try {
    const binary = atob(letters.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (byte) => byte.charCodeAt(0));
  } catch {
    return undefined;
  }
}
