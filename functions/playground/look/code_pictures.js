/**
 * The pictures of single codes, from the vision decoder.
 *
 * The decoder needs neighbors, so each code is decoded in a block of its own,
 * several codes at once, and the center is cut out:
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

/** Side of a code's block, in cells. */
const SIDE = 3;

/** The cache of decoded codes, for the life of the page. */
export class CodePictures {
  /** @type {Map<number, ImageBitmap>} */
  #known = new Map();
  /** @type {Promise<void> | undefined} */
  #running;

  /** @type {string | undefined} */
  #model;

  /**
   * Sets the model whose codes are decoded.
   *
   * @param {string | undefined} model Undefined for the default.
   */
  setModel(model) {
    if (model === this.#model) return;
    this.#model = model;
    this.#known.clear();
  }

  /** @param {number} code */
  get(code) {
    return this.#known.get(code);
  }

  /**
   * Decodes the missing codes. If the server cannot, the panel shows numbers
   * alone.
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
    const model = this.#model;
    const body = {
      grid: blocksOf(codes),
      ...(model !== undefined && { model }),
    };
    const answer = await post("/v1/detokenize", body, { accept: "image/png" });
    const file = await answer.blob();
    const whole = await createImageBitmap(file);
    const side = whole.height / SIDE;
    const cut = codes.map((_, i) =>
      createImageBitmap(whole, (i * SIDE + 1) * side, side, side, side)
    );
    if (model !== this.#model) return;
    for (const [i, bitmap] of (await Promise.all(cut)).entries()) {
      this.#known.set(codes[i] ?? 0, bitmap);
    }
    whole.close();
  }
}

/**
 * @param {readonly number[]} codes
 * @returns {{ codes: number[][] }} Blocks of all codes, side by side.
 */
export function blocksOf(codes) {
  const row = codes.flatMap((code) => Array.from({ length: SIDE }, () => code));
  return { codes: Array.from({ length: SIDE }, () => row) };
}
