/**
 * The control of a clip's frames: play, pause and single steps.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "./element.js";
import { Field } from "./field.js";

/** Rate of clips that have none of their own, as the server's. */
export const FRAMES_PER_SECOND = 8;

/** A slider with a play button. */
export class FrameControl {
  #slider = element("input", {
    type: "range",
    min: "1",
    max: "1",
    value: "1",
    oninput: () => {
      this.pause();
      this.moved = true;
      this.show(Number(this.#slider.value) - 1);
    },
  });
  #button = element("button", {
    type: "button",
    class: "small",
    onclick: () => {
      this.moved = true;
      if (this.playing) this.pause();
      else this.play();
    },
  }, "Play");
  #place = element("span", { class: "quiet" });
  root = new Field("Frame", this.#slider, {
    beside: [this.#place, this.#button],
  }).root;
  /** Index of the frame that is shown. */
  index = 0;
  /** True if the user has moved or started it. */
  moved = false;
  #count = 0;
  /** Frames that are played, from the first on. */
  #played = 0;
  #rate = FRAMES_PER_SECOND;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #onShow;

  /** @param {(index: number) => void} onShow Called with each frame to show. */
  constructor(onShow) {
    this.#onShow = onShow;
  }

  /**
   * Begins with other frames.
   *
   * @param {number} count
   * @param {number} [rate] Frames per second.
   */
  reset(count, rate = FRAMES_PER_SECOND) {
    this.pause();
    this.moved = false;
    this.#rate = rate;
    this.extend(count);
    this.show(0);
  }

  /**
   * Adds frames while a clip is drawn.
   *
   * @param {number} count Frames that can be shown.
   * @param {number} [played] Frames that are played, if the last are not
   *   complete.
   */
  extend(count, played = count) {
    this.#count = count;
    this.#played = played;
    this.#slider.max = String(Math.max(1, count));
    this.#button.disabled = played < 2;
    this.#tell();
  }

  /** True while frames follow each other. */
  get playing() {
    return this.#timer !== undefined;
  }

  /** Plays, unless the user prefers reduced motion and starts it on demand. */
  autoplay() {
    const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!reduced && !this.playing && this.#played > 1) this.play();
  }

  /** Plays in a loop. */
  play() {
    this.pause();
    this.#button.textContent = "Pause";
    this.#timer = setInterval(
      () => this.show((this.index + 1) % Math.max(1, this.#played)),
      1000 / this.#rate,
    );
  }

  /** Stops at the current frame. */
  pause() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#button.textContent = "Play";
  }

  /** @param {number} index */
  show(index) {
    this.index = index;
    this.#slider.value = String(index + 1);
    this.#tell();
    this.#onShow(index);
  }

  #tell() {
    const text = `${this.index + 1} of ${this.#count}`;
    if (this.#place.textContent !== text) this.#place.textContent = text;
    this.#slider.setAttribute("aria-valuetext", `Frame ${text}`);
  }
}
