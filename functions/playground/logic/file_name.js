/**
 * The name under which a picture is kept.
 *
 * @module
 */

// @ts-check

/**
 * The first words of its title, and its seed.
 *
 * @param {import("../shell/shell.js").Picture} picture
 * @returns {string} Ends with `.png`.
 */
export function fileName({ title, settings }) {
  const words = title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-|-$/g, "").slice(0, 40);
  const seed = settings?.seed === undefined ? "" : `-${settings.seed}`;
  return `${words || "emu3"}${seed}.png`;
}
