/**
 * The notice: shows a message, an error or a wait.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { ProblemError } from "../api/problem.js";
import { element } from "./element.js";

/** A place for one message. */
export class Notice {
  #words = element("span");
  #count = element("span", { class: "count", "aria-hidden": "true" });
  #actions = element("span", { class: "actions" });
  #box = element(
    "div",
    { class: "notice", hidden: true },
    this.#words,
    this.#count,
    this.#actions,
  );
  /** Live region, which must exist before its text changes. */
  root = element("div", { role: "status" }, this.#box);

  /**
   * Shows a message.
   *
   * @param {string} text
   * @param {{ fault?: boolean, actions?: readonly HTMLElement[] }} [options]
   */
  show(text, { fault = false, actions = [] } = {}) {
    this.#box.hidden = false;
    this.#box.classList.toggle("fault", fault);
    this.root.setAttribute("role", fault ? "alert" : "status");
    if (this.#words.textContent !== text) this.#words.textContent = text;
    this.#count.textContent = "";
    this.#actions.replaceChildren(...actions);
  }

  /**
   * Shows an error.
   *
   * @param {unknown} error
   * @param {readonly HTMLElement[]} [actions]
   */
  showError(error, actions = []) {
    const text = error instanceof Error ? error.message : String(error);
    this.show(text, { fault: true, actions });
    // Any error that is not an answer of the server is a bug of the page.
    if (error instanceof TypeError) reportError(error);
  }

  /**
   * Shows the reason of a wait; undefined ends it.
   *
   * @param {import("../api/retry_policy.js").Wait | undefined} wait
   */
  tellWait(wait) {
    if (wait === undefined) return this.clear();
    this.show(`${wait.reason} `);
    this.#count.textContent = wait.seconds === undefined
      ? "It continues automatically."
      : `Retry in ${wait.seconds} s.`;
  }

  /** Hides the message. */
  clear() {
    this.#box.hidden = true;
    this.#words.textContent = "";
    this.#count.textContent = "";
    this.#actions.replaceChildren();
  }
}

/**
 * Returns true if an error names fields.
 *
 * @param {unknown} error
 * @returns {error is ProblemError}
 */
export function namesFields(error) {
  return error instanceof ProblemError && error.errors.length > 0;
}
