/**
 * A drawing that was stopped: what there is of it as a picture, and a button to go
 * on with it.
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

/** Time for the picture of rows that are there, in milliseconds. */
const PICTURE_MS = 60_000;

/** The last drawing that was stopped, if any. */
export class Unfinished {
  /** @type {{ settings: Settings, known: Known } | undefined} */
  #drawing;
  /** The button. */
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

  /** Forgets it: something else begins. */
  clear() {
    this.#drawing = undefined;
    this.root.hidden = true;
  }

  /**
   * Offers to go on with a drawing, if it has rows and lacks some. Several
   * pictures of one seed cannot be gone on with: each has its own chance numbers.
   *
   * @param {Settings} settings
   * @param {Known} known
   * @returns {Promise<Picture | undefined>} The picture as far as it came; undefined without one, or if something else began meanwhile.
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
      // The rows stay in sight, and can be gone on with.
      return undefined;
    }
  }
}
