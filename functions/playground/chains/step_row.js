/**
 * The row of a step: its status, its time, its text and its picture.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";

/** Words for the status of a step. */
const WORDS = {
  running: "running…",
  waiting: "waiting for the server…",
  succeeded: "done",
  failed: "failed",
};

/** A row of the list of steps. */
export class StepRow {
  #name = element("b");
  #words = element("span", { class: "hint" });
  #text = element("p", { class: "answer", hidden: true });
  #image = element("img", { hidden: true });
  /** @type {boolean} True once its picture is there, or on its way. */
  #asked = false;
  root = element(
    "li",
    {},
    element("p", {}, this.#name, " ", this.#words),
    this.#text,
    this.#image,
  );

  /** @param {import("./chains_call.js").Step} step */
  show({ name, status, seconds, text }) {
    this.#name.textContent = name;
    const time = seconds === undefined ? "" : ` in ${seconds.toFixed(1)} s`;
    this.#words.textContent = `${WORDS[status]}${time}`;
    this.root.dataset["status"] = status;
    this.#text.hidden = text === undefined;
    if (text !== undefined) this.#text.textContent = text;
    this.#image.alt = `Picture of the step ${name}`;
  }

  /**
   * Shows the picture of the step, once; a failed attempt is made again with
   * the next look.
   *
   * @param {() => Promise<Blob>} load
   */
  async showPicture(load) {
    if (this.#asked) return;
    this.#asked = true;
    try {
      this.#image.src = URL.createObjectURL(await load());
      this.#image.hidden = false;
    } catch {
      this.#asked = false;
    }
  }
}
