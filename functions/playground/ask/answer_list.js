/**
 * A list of questions and their answers, the latest first.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";

/** @typedef {import("./question_pictures.js").Answer} Answer */

/** The list of questions and answers. */
export class AnswerList {
  #empty = element("p", { class: "quiet" }, "No questions yet.");
  #items = element("ol", { class: "answers", reversed: true });
  root = element("div", {}, this.#empty, this.#items);

  /**
   * Replaces the entries.
   *
   * @param {readonly Answer[]} answers Oldest first.
   */
  show(answers) {
    this.#empty.hidden = answers.length > 0;
    this.#items.replaceChildren(
      ...answers.map((answer) =>
        new Entry(answer.question).end(answer.text, answer.facts).root
      )
        .reverse(),
    );
  }

  /**
   * Adds a question whose answer is pending.
   *
   * @param {string} question
   */
  begin(question) {
    const entry = new Entry(question);
    this.#empty.hidden = true;
    this.#items.prepend(entry.root);
    return entry;
  }
}

/** A question and its answer. */
class Entry {
  #text = element("p", { class: "answer" }, "…");
  #facts = element("p", { class: "hint" });
  root;

  /** @param {string} question */
  constructor(question) {
    this.root = element(
      "li",
      { "aria-busy": "true" },
      element("p", { class: "question" }, question),
      this.#text,
      this.#facts,
    );
  }

  /** @param {number} ahead Count of requests before it in the queue. */
  queued(ahead) {
    this.#facts.textContent = ahead > 0 ? `${ahead} ahead in the queue` : "";
  }

  /** @param {string} text Answer so far. */
  write(text) {
    // Answers begin with a space.
    this.#text.textContent = text.trim() || "…";
  }

  /**
   * @param {string} text
   * @param {string} facts
   */
  end(text, facts) {
    this.#text.textContent = text.trim() || "(Empty answer.)";
    this.#facts.textContent = facts;
    this.root.removeAttribute("aria-busy");
    return this;
  }

  /** Marks the answer as incomplete. */
  breakOff() {
    if (this.#text.textContent === "…") this.#text.textContent = "(no answer)";
    this.#facts.textContent = "Canceled";
    this.root.removeAttribute("aria-busy");
  }
}
