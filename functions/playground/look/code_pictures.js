/**
 * Small pictures of single codes, as the vision decoder sees them.
 *
 * A code alone has no neighbors to go by, so it is decoded amid its own kind,
 * several at once, and the middle is cut out:
 *
 * ```text
 * a a a b b b
 * a A a b B b
 * a a a b b b
 * ```
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";

/** Cells a side of the block of one code. */
const SIDE = 3;

/** Decoded codes, kept as long as the page is open. */
export class CodePictures {
  /** @type {Map<number, ImageBitmap>} */
  #known = new Map();
  /** @type {Promise<void> | undefined} */
  #running;

  /** @param {number} code */
  get(code) {
    return this.#known.get(code);
  }

  /**
   * Decodes those that are not known yet. Where the server does not, numbers
   * have to do.
   *
   * @param {readonly number[]} codes
   */
  async load(codes) {
    await this.#running;
    const unknown = [...new Set(codes)].filter((code) =>
      !this.#known.has(code)
    );
    if (unknown.length === 0) return;
    this.#running = this.#decode(unknown).catch(() => undefined);
    await this.#running;
  }

  /** @param {readonly number[]} codes */
  async #decode(codes) {
    const answer = await post("/v1/detokenize", { grid: blocksOf(codes) }, {
      accept: "image/png",
    });
    const file = await answer.blob();
    const whole = await createImageBitmap(file);
    const side = whole.height / SIDE;
    const cut = codes.map((_, i) =>
      createImageBitmap(whole, (i * SIDE + 1) * side, side, side, side)
    );
    for (const [i, bitmap] of (await Promise.all(cut)).entries()) {
      this.#known.set(codes[i] ?? 0, bitmap);
    }
    whole.close();
  }
}

/**
 * @param {readonly number[]} codes
 * @returns {{ codes: number[][] }} A block for each, side by side.
 */
export function blocksOf(codes) {
  const row = codes.flatMap((code) => Array.from({ length: SIDE }, () => code));
  return { codes: Array.from({ length: SIDE }, () => row) };
}
