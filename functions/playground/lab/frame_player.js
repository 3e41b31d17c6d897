/**
 * The player of frames, with pause and single steps.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";

/** Rate of the server's own animations. */
const FRAMES_PER_SECOND = 8;

/** The player. */
export class FramePlayer {
  #image = element("img", { alt: "" });
  #slider = element("input", {
    type: "range",
    min: "1",
    max: "1",
    value: "1",
    oninput: () => {
      this.pause();
      this.#show(Number(this.#slider.value) - 1);
    },
  });
  #button = element("button", {
    type: "button",
    class: "small",
    onclick: () => this.#timer === undefined ? this.#play() : this.pause(),
  }, "Play");
  /** @type {readonly string[]} */
  #frames = [];
  #index = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  root = element(
    "div",
    { class: "player" },
    element(
      "figure",
      {},
      this.#image,
      element("figcaption", {}, "Reconstruction"),
    ),
    new Field("Frame", this.#slider, { beside: [this.#button] }).root,
  );

  /** @param {readonly string[]} frames URLs of the frames. */
  show(frames) {
    this.pause();
    this.#frames = frames;
    this.#slider.max = String(frames.length);
    this.#show(0);
    // Users who prefer reduced motion start it themselves.
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#play();
  }

  /** Stops at the current frame. */
  pause() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#button.textContent = "Play";
  }

  #play() {
    this.#button.textContent = "Pause";
    this.#timer = setInterval(
      () => this.#show((this.#index + 1) % this.#frames.length),
      1000 / FRAMES_PER_SECOND,
    );
  }

  /** @param {number} index */
  #show(index) {
    this.#index = index;
    this.#image.src = this.#frames[index] ?? "";
    this.#image.alt = `Frame ${
      index + 1
    } of ${this.#frames.length}, from its codes`;
    this.#slider.value = String(index + 1);
  }
}
