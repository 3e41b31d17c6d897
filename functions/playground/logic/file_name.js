/**
 * The file names of pictures.
 *
 * @module
 */

// @ts-check

/**
 * Joins the first words of the title and the seed.
 *
 * @param {import("../shell/shell.js").Picture} picture
 * @returns {string} Name that ends with `.png`.
 */
export function fileName({ title, settings }) {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "").slice(0, 40);
  const seed = settings?.seed === undefined ? "" : `-${settings.seed}`;
  return `${words || "emu3"}${seed}.png`;
}
