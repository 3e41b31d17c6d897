/**
 * The choice of an adapter; hidden while the model has none.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "./element.js";
import { Field } from "./field.js";

/** @typedef {Pick<import("../shell/server_watch.js").Model, "adapters">} Adapted */

/** A list of the model's adapters. */
export class AdapterField {
  #select = element("select");
  /** @type {readonly string[]} */
  #names = [];
  /** Field of the list. */
  field = new Field("Adapter", this.#select);

  constructor() {
    this.#show();
  }

  /**
   * Lists the adapters of a model; the choice stays.
   *
   * @param {Adapted | undefined} model
   */
  describe(model) {
    const names = model?.adapters ?? [];
    if (names.join("\n") === this.#names.join("\n")) return;
    this.#names = names;
    this.#show();
  }

  /** @returns {string | undefined} Name of the adapter, if one is chosen. */
  read() {
    return this.#select.value === "" ? undefined : this.#select.value;
  }

  /**
   * Chooses an adapter. One that the model lacks is listed too, so that the
   * server refuses it by name instead of drawing without it.
   *
   * @param {string | undefined} name
   */
  write(name) {
    this.#show(name ?? "");
  }

  #show(chosen = this.#select.value) {
    const names = new Set(this.#names);
    if (chosen !== "") names.add(chosen);
    this.#select.replaceChildren(
      element("option", { value: "" }, "None"),
      ...[...names].map((name) => element("option", { value: name }, name)),
    );
    this.#select.value = chosen;
    this.field.root.hidden = names.size === 0;
  }
}
