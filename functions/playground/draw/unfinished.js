/**
 * An interrupted drawing: its rows as a picture, and a button to resume it.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { later } from "../parts/later.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("./drawing.js").Known} Known
 */

/** Time limit for decoding the existing rows, in milliseconds. */
const PICTURE_MS = 60_000;

/** The last interrupted drawing, if any. */
export class Unfinished {
  /** @type {{ settings: Settings, known: Known } | undefined} */
  #drawing;
  /** The resume button. */
  root;

  /** @param {(settings: Settings, known: Known) => void} onContinue */
  constructor(onContinue) {
    this.root = element("button", {
      type: "button",
      hidden: true,
      onclick: () => {
        if (this.#drawing === undefined) return;
        onContinue(this.#drawing.settings, this.#drawing.known);
      },
    }, "Continue");
  }

  /** Discards the drawing when another one begins. */
  clear() {
    this.#drawing = undefined;
    this.root.hidden = true;
  }

  /**
   * Offers to resume a drawing that has rows and lacks some. Several pictures
   * of one seed cannot be resumed: each has its own random numbers.
   *
   * @param {Settings} settings
   * @param {Known} known
   * @returns {Promise<Picture | undefined>} Picture of the rows so far;
   *   undefined if there are none or another drawing began meanwhile.
   */
  async offer(settings, known) {
    const [rows] = known.rows;
    const partial = known.rows.length === 1 && rows !== undefined &&
      rows.count > 0 && rows.count < rows.height;
    if (!partial) return undefined;
    const drawing = { settings, known };
    this.#drawing = drawing;
    this.root.hidden = false;
    const signal = AbortSignal.timeout(PICTURE_MS);
    try {
      const { unfinishedPicture } = await later(() =>
        import("./draw_pictures.js")
      );
      const picture = await unfinishedPicture(settings, known, signal);
      return this.#drawing === drawing ? picture : undefined;
    } catch {
      // The rows stay visible and can be resumed.
      return undefined;
    }
  }
}
