/**
 * The scrub bar that replays a drawing.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element, freshId } from "../parts/element.js";

/** Duration of a whole replay, in milliseconds. */
const REPLAY_MS = 6000;

/** The bar, with a play button. */
export class Scrubber {
  #bar = element("input", {
    id: freshId("scrub"),
    type: "range",
    min: "0",
    step: "1",
  });
  #play = element("button", {
    type: "button",
    class: "small",
    onclick: () => this.#frame === undefined ? this.play() : this.stop(),
  }, "Replay");
  root = element(
    "div",
    { class: "scrubber" },
    this.#play,
    element(
      "label",
      { class: "unseen", for: this.#bar.id },
      "Generated codes",
    ),
    this.#bar,
  );
  /** @type {number | undefined} */
  #frame;
  #row = 1;
  #onMove;

  /**
   * @param {(cells: number) => void} onMove Called with the count of visible
   * cells.
   */
  constructor(onMove) {
    this.#onMove = onMove;
    this.#bar.addEventListener("input", () => {
      this.stop();
      this.#moved();
    });
  }

  /**
   * Sets the range to a picture's cells, and moves to the end.
   *
   * @param {{ height: number, width: number }} size
   */
  reset({ height, width }) {
    this.stop();
    this.#row = width;
    this.#bar.max = String(height * width);
    this.#bar.value = this.#bar.max;
    this.#moved();
  }

  /** Plays from the current position, or from the start if it is at the end. */
  play() {
    const all = Number(this.#bar.max);
    const from = Number(this.#bar.value) === all ? 0 : Number(this.#bar.value);
    // Users who prefer reduced motion see steps of whole rows.
    const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = reduced ? this.#row : 1;
    const begun = performance.now() - REPLAY_MS * from / all;
    /** @param {number} now */
    const next = (now) => {
      const cells = Math.min(all, all * Math.max(0, now - begun) / REPLAY_MS);
      this.#bar.value = String(Math.floor(cells / step) * step);
      this.#moved();
      if (cells < all) this.#frame = requestAnimationFrame(next);
      else this.stop();
    };
    this.#play.textContent = "Pause";
    this.#frame = requestAnimationFrame(next);
  }

  /** Stops at the current position. */
  stop() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#play.textContent = "Replay";
  }

  #moved() {
    const cells = Number(this.#bar.value);
    this.#bar.setAttribute(
      "aria-valuetext",
      `${cells} of ${this.#bar.max} codes`,
    );
    this.#onMove(cells);
  }
}
