/**
 * The field of a seed, which is new for each drawing unless locked.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { icon } from "../parts/icon.js";

/** A field with a lock and dice. */
export class SeedField {
  #input = element("input", {
    inputMode: "numeric",
    pattern: "[0-9]{1,16}",
    placeholder: "random",
    autocomplete: "off",
    title: "A whole number, 0 or more",
  });
  #lock = element("button", {
    type: "button",
    class: "icon",
    "aria-pressed": "false",
    "aria-label": "Keep this seed",
    title: "Keep this seed",
    onclick: () => this.#setLocked(!this.#locked),
  }, icon("lock"));
  #dice = element("button", {
    type: "button",
    class: "icon",
    "aria-label": "New seed",
    title: "New seed",
    onclick: () => {
      this.#input.value = String(anySeed());
      this.field.setFault(undefined);
    },
  }, icon("dice"));
  field = new Field("Seed", this.#input, { beside: [this.#lock, this.#dice] });

  /** Creates the field unlocked. */
  constructor() {
    this.#input.addEventListener("input", () => {
      this.#setLocked(this.#input.value !== "");
    });
    this.#dice.addEventListener("click", () => this.#setLocked(true));
  }

  get #locked() {
    return this.#lock.getAttribute("aria-pressed") === "true";
  }

  /** @returns {number} Seed of the next drawing, shown from now on. */
  take() {
    if (!this.#locked || this.#input.value === "") {
      this.#input.value = String(anySeed());
    }
    return Number(this.#input.value);
  }

  /** @param {number | undefined} seed Seed to lock; undefined unlocks. */
  write(seed) {
    this.#input.value = seed === undefined ? "" : String(seed);
    this.#setLocked(seed !== undefined);
  }

  /** @param {boolean} locked */
  #setLocked(locked) {
    this.#lock.setAttribute("aria-pressed", String(locked));
  }
}

/** Returns a random seed, short enough to be read aloud. */
export function anySeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
