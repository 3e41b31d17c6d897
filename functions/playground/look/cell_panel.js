/**
 * The panel of one cell: its code, logprob, entropy and alternatives.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { percentText } from "../logic/quantities.js";
import { throttle } from "../parts/throttle.js";
import { element } from "../parts/element.js";
import { CodePictures } from "./code_pictures.js";

/**
 * @typedef {import("../logic/cells.js").Cell} Cell
 * @typedef {import("../logic/cells.js").CellFacts} CellFacts
 * @typedef {import("../logic/cells.js").Rival} Rival
 */

/** Interval between two requests for code pictures, in milliseconds. */
const LOOK_MS = 150;

/** Side of a code's picture, in pixels. */
const SIDE = 24;

/** The panel. */
export class CellPanel {
  #title = element("h3", {}, "Cell");
  #facts = element("dl", { class: "cell-facts" });
  #rivals = element("ol", { class: "rivals" });
  #hint = element(
    "p",
    { class: "hint", hidden: true },
    "Choose a code to replace this one and generate the rest again.",
  );
  root = element(
    "div",
    { class: "cell-panel" },
    this.#title,
    this.#facts,
    this.#rivals,
    this.#hint,
  );
  #pictures = new CodePictures();
  /** @type {Map<HTMLCanvasElement, number>} */
  #canvases = new Map();
  #lookThrottled = throttle(LOOK_MS, () => void this.#look());
  #choose;

  /**
   * @param {(cell: Cell, code: number) => void} choose Called with an
   * alternative to branch from.
   */
  constructor(choose) {
    this.#choose = choose;
  }

  /**
   * @param {Cell} cell
   * @param {CellFacts} facts
   * @param {boolean} basis True for a cell of the picture that branches start
   *   from.
   */
  show(cell, { code, logprob, entropyBits, rivals }, basis) {
    this.#title.textContent = `Row ${cell.y + 1}, column ${cell.x + 1}`;
    const known = logprob !== undefined && entropyBits !== undefined;
    this.#canvases.clear();
    this.#facts.replaceChildren(
      ...pair("Code", this.#picture(code), String(code)),
      ...pair("Probability", known ? percentText(logprob) : "unknown"),
      ...pair(
        "Entropy",
        known ? `${entropyBits.toFixed(2)} bits` : "unknown",
      ),
    );
    this.#rivals.hidden = rivals.length === 0;
    this.#hint.hidden = rivals.length === 0 || !basis;
    this.#rivals.replaceChildren(
      ...rivals.map((rival) => this.#rival(cell, rival, basis)),
    );
    this.#paint();
    this.#lookThrottled();
  }

  /**
   * @param {Cell} cell
   * @param {Rival} rival
   * @param {boolean} basis
   */
  #rival(cell, { code, logprob, drawn }, basis) {
    const bar = element("span", { class: "share-bar" });
    bar.style.width = `${Math.exp(logprob) * 100}%`;
    return element(
      "li",
      { class: drawn ? "drawn" : "" },
      element(
        "button",
        {
          type: "button",
          class: "rival",
          disabled: drawn || !basis,
          onclick: () => this.#choose(cell, code),
        },
        this.#picture(code),
        element(
          "span",
          { class: "unseen" },
          drawn ? "Current code " : "Continue with code ",
        ),
        element("span", { class: "mono" }, String(code)),
        element("span", { class: "track" }, bar),
        element("span", {}, percentText(logprob)),
      ),
    );
  }

  /** @param {number} code */
  #picture(code) {
    const canvas = element("canvas", {
      class: "code",
      width: SIDE,
      height: SIDE,
      "aria-hidden": "true",
    });
    this.#canvases.set(canvas, code);
    return canvas;
  }

  /**
   * Sets the model whose codes are shown.
   *
   * @param {string | undefined} model Undefined for the default.
   */
  setModel(model) {
    this.#pictures.setModel(model);
  }

  async #look() {
    await this.#pictures.load([...this.#canvases.values()]);
    this.#paint();
  }

  #paint() {
    for (const [canvas, code] of this.#canvases) {
      const bitmap = this.#pictures.get(code);
      if (bitmap === undefined) continue;
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0, SIDE, SIDE);
    }
  }
}

/**
 * @param {string} term
 * @param {...(Node | string)} values
 */
function pair(term, ...values) {
  return [element("dt", {}, term), element("dd", {}, ...values)];
}
