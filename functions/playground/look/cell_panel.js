/**
 * What is known of one cell.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { percentText } from "../logic/quantities.js";
import { element } from "../parts/element.js";

/** The panel. */
export class CellPanel {
  #title = element("h3", {}, "Cell");
  #facts = element("dl", { class: "cell-facts" });
  #rivals = element("ol", { class: "rivals" });
  root = element(
    "div",
    { class: "cell-panel" },
    this.#title,
    this.#facts,
    this.#rivals,
  );

  /**
   * @param {import("../logic/cells.js").Cell} cell
   * @param {import("../logic/cells.js").CellFacts} facts
   */
  show({ y, x }, { code, logprob, entropyBits, rivals }) {
    this.#title.textContent = `Row ${y + 1}, column ${x + 1}`;
    const known = logprob !== undefined && entropyBits !== undefined;
    this.#facts.replaceChildren(
      ...pair("Code", String(code)),
      ...pair("Probability", known ? percentText(logprob) : "not noted"),
      ...pair(
        "Entropy",
        known ? `${entropyBits.toFixed(2)} bits` : "not noted",
      ),
    );
    this.#rivals.hidden = rivals.length === 0;
    this.#rivals.replaceChildren(...rivals.map((rival) => {
      const bar = element("span", { class: "share-bar" });
      bar.style.width = `${Math.exp(rival.logprob) * 100}%`;
      return element(
        "li",
        { class: rival.drawn ? "drawn" : "" },
        element("span", { class: "mono" }, String(rival.code)),
        element("span", { class: "track" }, bar),
        element("span", {}, percentText(rival.logprob)),
        element("span", { class: "unseen" }, rival.drawn ? "drawn" : ""),
      );
    }));
  }
}

/**
 * @param {string} term
 * @param {string} value
 */
function pair(term, value) {
  return [element("dt", {}, term), element("dd", {}, value)];
}
