/**
 * Says what happened, and what is waited for.
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
  /** Read out when it changes, and there before it does: else it is not read. */
  root = element("div", { role: "status" }, this.#box);

  /**
   * Tells of something.
   *
   * @param {string} text
   * @param {{ fault?: boolean, actions?: readonly HTMLElement[] }} [options]
   */
  tell(text, { fault = false, actions = [] } = {}) {
    this.#box.hidden = false;
    this.#box.classList.toggle("fault", fault);
    this.root.setAttribute("role", fault ? "alert" : "status");
    if (this.#words.textContent !== text) this.#words.textContent = text;
    this.#count.textContent = "";
    this.#actions.replaceChildren(...actions);
  }

  /**
   * Tells of an error.
   *
   * @param {unknown} error
   * @param {readonly HTMLElement[]} [actions]
   */
  tellError(error, actions = []) {
    const text = error instanceof Error ? error.message : String(error);
    this.tell(text, { fault: true, actions });
    // What is none of the server's words is a fault of the page.
    if (error instanceof TypeError) reportError(error);
  }

  /**
   * Tells what is waited for; undefined when that is over.
   *
   * @param {import("../api/patience.js").Wait | undefined} wait
   */
  tellWait(wait) {
    if (wait === undefined) return this.clear();
    this.tell(`${wait.reason} `);
    this.#count.textContent = wait.seconds === undefined
      ? "It goes on by itself."
      : `Again in ${wait.seconds} s.`;
  }

  /** Nothing to tell. */
  clear() {
    this.#box.hidden = true;
    this.#words.textContent = "";
    this.#count.textContent = "";
    this.#actions.replaceChildren();
  }
}

/**
 * Whether it is about fields.
 *
 * @param {unknown} error
 * @returns {error is ProblemError}
 */
export function namesFields(error) {
  return error instanceof ProblemError && error.errors.length > 0;
}
