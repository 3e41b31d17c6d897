/**
 * The player of a clip's frames, from their codes.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { FrameControl } from "../parts/frame_control.js";

/** The player. */
export class FramePlayer {
  #image = element("img", { alt: "" });
  #control = new FrameControl((index) => this.#show(index));
  /** @type {readonly string[]} */
  #frames = [];
  root = element(
    "div",
    { class: "player" },
    element(
      "figure",
      {},
      this.#image,
      element("figcaption", {}, "Reconstruction"),
    ),
    this.#control.root,
  );

  /** @param {readonly string[]} frames URLs of the frames. */
  show(frames) {
    this.#frames = frames;
    this.#control.reset(frames.length);
    this.#control.autoplay();
  }

  /** Stops at the current frame. */
  pause() {
    this.#control.pause();
  }

  /** @param {number} index */
  #show(index) {
    this.#image.src = this.#frames[index] ?? "";
    this.#image.alt = `Frame ${
      index + 1
    } of ${this.#frames.length}, from its codes`;
  }
}
