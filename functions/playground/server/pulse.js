/**
 * The live rates of the server, with a chart of the last minutes.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { ratesBetween } from "./throughput.js";

/** @typedef {import("./throughput.js").Sample} Sample */

/** Count of rates in the chart: two minutes of one per two seconds. */
const KEPT = 60;

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 40;

/** Counters and their labels. */
const COUNTS = /** @type {const} */ ([
  ["tokens", "Tokens per second"],
  ["forwards", "Forward passes per second"],
  ["requests", "Requests per second"],
]);

/** The rates. */
export class Pulse {
  /** @type {Sample | undefined} */
  #last;
  /** @type {number[]} */
  #history = [];
  #values = COUNTS.map(() => element("dd", {}, "–"));
  #total = element("dd", {}, "–");
  #line = document.createElementNS(SVG, "polyline");
  #graph = document.createElementNS(SVG, "svg");
  root;

  constructor() {
    this.#graph.setAttribute("viewBox", `0 0 ${KEPT - 1} ${HEIGHT}`);
    this.#graph.setAttribute("preserveAspectRatio", "none");
    this.#graph.setAttribute("class", "graph");
    this.#graph.setAttribute("role", "img");
    this.#graph.setAttribute(
      "aria-label",
      "Tokens per second, last two minutes",
    );
    this.#line.setAttribute("vector-effect", "non-scaling-stroke");
    this.#graph.append(this.#line);
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": "pulse-title" },
      element("h3", { id: "pulse-title" }, "Throughput"),
      element(
        "dl",
        { class: "numbers" },
        ...COUNTS.map(([, label], i) => pair(label, this.#values[i])),
        pair("Tokens since the start", this.#total),
      ),
      this.#graph,
      element(
        "p",
        { class: "hint" },
        "Tokens are counted when their request completes, forward passes as they run. Updated every two seconds while visible.",
      ),
    );
  }

  /**
   * @param {Sample | undefined} sample Undefined if the server did not answer.
   */
  add(sample) {
    const rates = sample && this.#last && ratesBetween(this.#last, sample);
    this.#last = sample;
    COUNTS.forEach(([name], i) => {
      const value = this.#values[i];
      if (value) value.textContent = rates ? rateText(rates[name]) : "–";
    });
    this.#total.textContent = sample ? sample.tokens.toLocaleString("en") : "–";
    this.#history = [...this.#history, rates?.tokens ?? 0].slice(-KEPT);
    const peak = Math.max(1, ...this.#history);
    this.#line.setAttribute(
      "points",
      this.#history.map((rate, i) =>
        `${KEPT - this.#history.length + i},${
          HEIGHT - 1 - rate / peak * (HEIGHT - 2)
        }`
      ).join(" "),
    );
  }
}

/**
 * @param {string} label
 * @param {HTMLElement | undefined} value
 */
function pair(label, value) {
  return element("div", {}, element("dt", {}, label), value);
}

/** @param {number} rate */
function rateText(rate) {
  return rate >= 10 || rate === 0 ? rate.toFixed(0) : rate.toFixed(1);
}
