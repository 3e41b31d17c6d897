/**
 * The files of pictures: bytes from the API, names and identifiers.
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

/**
 * Joins the first words of the title and the seed.
 *
 * @param {import("../shell/shell.js").Picture} picture
 * @returns {string} Name that ends with `.png`, or `.apng` for a clip.
 */
export function fileName({ title, settings, clip }) {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "").slice(0, 40);
  const seed = settings?.seed === undefined ? "" : `-${settings.seed}`;
  return `${words || "emu3"}${seed}.${clip ? "apng" : "png"}`;
}

/** Returns a unique identifier; `randomUUID` would require https. */
export function pictureId() {
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return [...parts].map((part) => part.toString(36)).join("-");
}
