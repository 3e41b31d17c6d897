/**
 * The button that saves a drawing as an animation.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { fileName } from "../logic/picture_files.js";
import { element, saveAs } from "../parts/element.js";
import { later } from "../parts/later.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/**
 * @param {() => Picture | undefined} current Returns the picture to save.
 * @param {{ saved: () => void, failed: (error: unknown) => void }} listener
 */
export function filmButton(current, { saved, failed }) {
  const save = async () => {
    const { grid, ...picture } = current() ?? {};
    if (grid === undefined) return;
    button.disabled = true;
    try {
      const { timeLapse } = await later(() => import("./time_lapse.js"));
      const whole = /** @type {Picture} */ (picture);
      saveAs(
        await timeLapse({ ...whole, grid }),
        fileName(whole).replace(/\.png$/, "-drawn.png"),
        "image/png",
      );
      saved();
    } catch (error) {
      failed(error);
    } finally {
      button.disabled = false;
    }
  };
  const button = element("button", {
    type: "button",
    class: "small",
    onclick: () => void save(),
  }, "Save time-lapse");
  return button;
}
