/**
 * The files in the API's JSON.
 *
 * @module
 */

// @ts-check

/** @typedef {{ b64_json: string, mime_type: string }} WireFile */

/**
 * @param {WireFile} file
 * @returns {Blob}
 */
export function blobOf({ b64_json: base64, mime_type: type }) {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  return new Blob([bytes], { type });
}
