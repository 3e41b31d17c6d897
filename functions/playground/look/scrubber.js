/**
 * A bar that replays a drawing.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element, freshId } from "../parts/element.js";

/** How long a whole replay takes. */
const REPLAY_MS = 6000;

/** The bar, with a button that lets it run. */
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
      "Codes drawn so far",
    ),
    this.#bar,
  );
  /** @type {number | undefined} */
  #frame;
  #row = 1;
  #onMove;

  /** @param {(cells: number) => void} onMove Told how many cells are shown. */
  constructor(onMove) {
    this.#onMove = onMove;
    this.#bar.addEventListener("input", () => {
      this.stop();
      this.#moved();
    });
  }

  /**
   * Ends where a picture is whole.
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

  /** From the beginning, or from where it stands. */
  play() {
    const all = Number(this.#bar.max);
    const from = Number(this.#bar.value) === all ? 0 : Number(this.#bar.value);
    // Row by row where less motion is asked for.
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = calm ? this.#row : 1;
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

  /** Stays where it is. */
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
