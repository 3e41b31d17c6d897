/**
 * The card of one model: its properties, its start and its load.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { bytesText } from "../logic/quantities.js";
import { element, freshId } from "../parts/element.js";
import { duration, lastMoment, startRows } from "./start_rows.js";

/**
 * @typedef {import("../shell/server_watch.js").Model} Model
 *
 * @typedef {object} Engine Engine as listed by `/v1/models`.
 * @property {number} slots
 * @property {number} slots_in_use
 * @property {number} waiting
 * @property {number} running
 * @property {{ tokens: number, tokens_held: number, dtype: string, bytes: number }} cache
 * @property {{ hits: number, misses: number, tokens_saved: number, evictions: number }} prefixes
 */

/** Labels of states. */
const STATES = {
  unloaded: "not loaded yet: it loads on first use",
  loading: "loading",
  ready: "ready",
  failed: "failed",
};

/** A card. */
export class ModelCard {
  #facts = element("dl", { class: "numbers" });
  #engine = element("dl", { class: "numbers" });
  #start = element("ol", { class: "phases" });
  #startTitle = element("summary", {}, "Startup");
  root;

  /** @param {string} name */
  constructor(name) {
    const id = freshId("model");
    this.root = element(
      "section",
      { class: "panel stack", "aria-labelledby": id },
      element("h3", { id }, name),
      this.#facts,
      this.#engine,
      element(
        "details",
        { open: true },
        this.#startTitle,
        this.#start,
      ),
    );
  }

  /** @param {Model & { engine?: Engine }} model */
  show(model) {
    const { state, reason, phases, engine } = model;
    fill(this.#facts, [
      [
        "State",
        reason === undefined ? STATES[state] : `${STATES[state]}: ${reason}`,
      ],
      ["Capabilities", model.capabilities.join(", ")],
      ["Device", model.device],
      ["Precision", model.precision],
      ["Revision", model.revision ?? undefined],
      [
        "Context",
        model.context_length === null
          ? undefined
          : `${model.context_length} tokens`,
      ],
      [
        "Image size",
        model.image_area === null ? undefined : areaText(model.image_area),
      ],
      ["Strategy", model.defaults?.strategy],
      ["Adapters", model.adapters.join(", ") || undefined],
    ]);
    fill(this.#engine, engine === undefined ? [] : engineFacts(engine));
    const last = lastMoment(phases);
    this.#startTitle.textContent = state === "loading"
      ? `Startup: ${duration(last)} so far`
      : `Startup: ready after ${duration(last)}`;
    this.#start.replaceChildren(
      ...startRows(phases, last).map(({ name, from, part, running, facts }) => {
        const bar = element("span", { class: "bar-part" });
        bar.style.marginInlineStart = `${from * 100}%`;
        bar.style.width = `max(2px, ${part * 100}%)`;
        if (running) bar.dataset["running"] = "true";
        return element(
          "li",
          {},
          element("span", {}, name),
          element("span", { class: "bar-track", "aria-hidden": "true" }, bar),
          element("span", { class: "hint" }, facts),
        );
      }),
    );
  }
}

/** @param {number} area Area in pixels. */
function areaText(area) {
  const side = Math.round(Math.sqrt(area));
  return `about ${side} × ${side} pixels`;
}

/**
 * @param {Engine} engine
 * @returns {[string, string | undefined][]}
 */
function engineFacts(
  { slots, slots_in_use: used, waiting, running, cache, prefixes },
) {
  const { tokens, tokens_held: held, bytes, dtype } = cache;
  const lookups = prefixes.hits + prefixes.misses;
  return [
    ["Waiting", String(waiting)],
    ["Running", String(running)],
    ["Slots in use", `${used} of ${slots}`],
    [
      "KV cache",
      `${bytesText(bytes * held / tokens)} of ${bytesText(bytes)}, ${dtype}`,
    ],
    [
      "Prefix cache hits",
      lookups === 0 ? "no lookups yet" : `${prefixes.hits} of ${lookups}`,
    ],
    ["Prefill tokens saved", `${prefixes.tokens_saved} tokens`],
  ];
}

/**
 * Reuses the elements, so that the text does not jump while it is read.
 *
 * @param {HTMLElement} list
 * @param {readonly (readonly [string, string | undefined])[]} facts
 */
function fill(list, facts) {
  const known = facts.filter(([, value]) => value !== undefined);
  list.hidden = known.length === 0;
  const labels = known.map(([label]) => label).join();
  if (list.dataset["labels"] !== labels) {
    list.dataset["labels"] = labels;
    list.replaceChildren(
      ...known.map(([label]) =>
        element("div", {}, element("dt", {}, label), element("dd"))
      ),
    );
  }
  const values = list.querySelectorAll("dd");
  known.forEach(([, value = ""], i) => {
    const place = values[i];
    if (place && place.textContent !== value) place.textContent = value;
  });
}
