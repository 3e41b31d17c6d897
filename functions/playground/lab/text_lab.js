/**
 * The text section of the lab: text into tokens, and tokens into text.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { withRetries } from "../api/retry_policy.js";
import { countText } from "../logic/quantities.js";
import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { TaskRunner } from "../parts/task.js";
import { textOf, tokensOf } from "./detokenize_call.js";
import {
  HUES,
  markFor,
  parseTokens,
  piecesOf,
  visible,
} from "./text_pieces.js";

/** @typedef {import("../shell/shell.js").Shell} Shell */

/** Delay from a keystroke to the request, in milliseconds. */
const PAUSE_MS = 300;

/** Longest text whose tokens fit one request, even with one token per byte. */
const MAX_LENGTH = 4000;

/** Initial text. */
const EXAMPLE = "Emu3 draws a rocket above a tree 🚀🌳";

/** The text section. */
export class TextLab {
  #shell;
  #notice = new Notice();
  #text = element("textarea", {
    rows: 3,
    maxLength: MAX_LENGTH,
    value: EXAMPLE,
  });
  #tokens = element("textarea", { rows: 3, class: "mono", spellcheck: false });
  #tokensField = new Field("Tokens", this.#tokens, {
    hint: "Change them to see their text.",
  });
  #facts = element("p", { class: "facts", role: "status" });
  #pieces = element("ol", {
    class: "pieces",
    "aria-label": "Tokens of the text",
  });
  #runner = new TaskRunner(() => undefined);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  root;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": "lab-text" },
      element("h3", { id: "lab-text" }, "Text ⇄ tokens"),
      new Field("Text", this.#text).root,
      this.#pieces,
      this.#facts,
      this.#tokensField.root,
      this.#notice.root,
    );
    this.#text.addEventListener(
      "input",
      () => this.#soon((signal) => this.#fromText(signal)),
    );
    this.#tokens.addEventListener(
      "input",
      () => this.#soon((signal) => this.#fromTokens(signal)),
    );
  }

  /** Encodes the initial text on the first visit. */
  start() {
    this.#soon((signal) => this.#fromText(signal));
  }

  /** @param {AbortSignal} signal */
  async #fromText(signal) {
    const tokens = await tokensOf(this.#text.value, signal);
    this.#tokens.value = tokens.join(" ");
    this.#tokensField.setFault(undefined);
    await this.#showPieces(tokens, this.#text.value, signal);
  }

  /** @param {AbortSignal} signal */
  async #fromTokens(signal) {
    const tokens = parseTokens(this.#tokens.value);
    const text = await textOf(tokens, signal);
    this.#text.value = text;
    await this.#showPieces(tokens, text, signal);
  }

  /**
   * @param {number[]} tokens
   * @param {string} text
   * @param {AbortSignal} signal
   */
  async #showPieces(tokens, text, signal) {
    const mark = markFor(text);
    const marked = { text: mark, tokens: await tokensOf(mark, signal) };
    const pieces = await piecesOf(tokens, marked, (all) => textOf(all, signal));
    this.#pieces.replaceChildren(
      ...pieces.map((piece, i) =>
        element(
          "li",
          { "data-hue": i % HUES },
          element("span", {}, visible(piece.text)),
          element("small", {}, piece.tokens.join(" ")),
        )
      ),
    );
    const characters = countText([...text].length, "character");
    this.#facts.textContent = `${characters}, ${
      countText(tokens.length, "token")
    }`;
  }

  /** @param {(signal: AbortSignal) => Promise<void>} task */
  #soon(task) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#runner.run(
        (signal) => this.#attempt(task, signal),
        (error) => this.#showError(error),
      );
    }, PAUSE_MS);
  }

  /**
   * @param {(signal: AbortSignal) => Promise<void>} task
   * @param {AbortSignal} signal
   */
  async #attempt(task, signal) {
    this.#notice.clear();
    await withRetries(
      () => task(signal),
      this.#shell.retryPolicy(this.#notice, signal),
    );
  }

  /** @param {unknown} error */
  #showError(error) {
    if (error instanceof RangeError) this.#tokensField.setFault(error.message);
    else this.#notice.showError(error);
  }
}
