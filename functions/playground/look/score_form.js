/**
 * The form of the prompt that a picture is scored with.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";

/** The form. */
export class ScoreForm {
  #prompt = element("input", { maxLength: 32768, autocomplete: "off" });
  #button = element("button", { class: "small" }, "Score");
  field = new Field("Score for the prompt", this.#prompt, {
    beside: [this.#button],
  });
  root;

  /** @param {(prompt: string) => void} score */
  constructor(score) {
    this.root = element(
      "form",
      {
        class: "score",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          score(this.#prompt.value);
        },
      },
      this.field.root,
    );
  }

  /** @param {string} prompt Prompt of the next scoring. */
  write(prompt) {
    this.#prompt.value = prompt;
    this.field.setFault(undefined);
  }

  /** Prompt of the scoring. */
  get prompt() {
    return this.#prompt.value;
  }
}
