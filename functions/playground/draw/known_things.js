/**
 * The subjects that a small model can draw, as chips that append to the prompt,
 * and a warning about unknown words.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { surprise, unknownText, unknownWords } from "../logic/known_words.js";
import { element } from "../parts/element.js";

/** @typedef {import("../shell/server_watch.js").Model} Model */

/** Chips and the warning. Empty for a model that lists no subjects. */
export class KnownThings {
  #prompt;
  /** @type {readonly string[]} */
  #words = [];
  /** @type {readonly string[]} */
  #subjects = [];
  #line = element("p", { class: "hint", role: "status" });
  #title = element("summary", {});
  #chips = element("div", {
    class: "chips",
    role: "group",
    "aria-label": "Subjects of this model",
  });
  #list = element(
    "details",
    { class: "known", hidden: true },
    this.#title,
    this.#chips,
  );
  #surprise = element("button", {
    type: "button",
    class: "small",
    hidden: true,
    onclick: () => this.#takeSurprise(),
  }, "Surprise me");
  root;

  /** @param {HTMLTextAreaElement} prompt */
  constructor(prompt) {
    this.#prompt = prompt;
    prompt.addEventListener("input", () => this.check());
    this.root = element(
      "div",
      { class: "stack known-things" },
      this.#line,
      this.#surprise,
      this.#list,
    );
  }

  /** @param {Model | undefined} model */
  describe(model) {
    const subjects = model?.subjects ?? [];
    this.#words = model?.known_words ?? [];
    this.check();
    if (subjects.join() === this.#subjects.join()) return;
    this.#subjects = subjects;
    this.#list.hidden = this.#surprise.hidden = subjects.length === 0;
    this.#title.textContent = `All ${subjects.length} subjects of this model`;
    this.#chips.replaceChildren(...subjects.map((subject) =>
      element("button", {
        type: "button",
        onclick: () => this.#append(subject),
      }, subject)
    ));
  }

  /** Compares the prompt with the words of the model. */
  check() {
    const unknown = unknownWords(this.#prompt.value, this.#words);
    const text = unknownText(unknown);
    if (this.#line.textContent !== text) this.#line.textContent = text;
    this.#line.hidden = text === "";
  }

  /** @param {string} subject */
  #append(subject) {
    const before = this.#prompt.value.trimEnd();
    const article = /^[aeiou]/.test(subject) ? "an" : "a";
    this.#prompt.value = before === ""
      ? `${article} ${subject}`
      : `${before} and ${article} ${subject}`;
    this.check();
    this.#prompt.focus();
  }

  #takeSurprise() {
    this.#prompt.value = surprise(this.#subjects, this.#words, Math.random);
    this.check();
    this.#prompt.form?.requestSubmit();
  }
}
