/**
 * The form of a branch: the row from which a picture is drawn anew, and
 * settings.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { SeedField } from "../draw/seed_field.js";
import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 *
 * @typedef {object} Branch
 * @property {number} row Count of rows to keep.
 * @property {readonly number[]} [begun] First codes of the next row.
 * @property {Settings} settings Settings of the rows to draw.
 */

/** The form. */
export class BranchForm {
  #row = element("input", {
    type: "number",
    min: "1",
    step: "1",
    required: true,
  });
  #prompt = element("textarea", { rows: 2, maxLength: 32768, required: true });
  /** Seed, new for each branch unless it is locked. */
  #seed = new SeedField();
  #temperature = element("input", {
    type: "number",
    min: "0",
    max: "100",
    step: "any",
    placeholder: "default",
  });
  #stop = element("button", { type: "button", hidden: true }, "Stop");
  fields = new Map([
    ["prefix", new Field("From row", this.#row)],
    ["temperature", new Field("Temperature", this.#temperature)],
    ["seed", this.#seed.field],
    [
      "prompt",
      new Field("Prompt for the rest", this.#prompt, { class: "wide" }),
    ],
  ]);
  root;
  /** @type {Settings} */
  #basis = { prompt: "" };

  /**
   * @param {{ start: (branch: Branch) => void, stop: () => void, choose: (row: number) => void }} listener
   */
  constructor({ start, stop, choose }) {
    this.#seed.field.root.classList.add("wide");
    this.#row.addEventListener("input", () => {
      if (this.#row.validity.valid) choose(Number(this.#row.value) - 1);
    });
    this.#stop.addEventListener("click", stop);
    this.root = element(
      "form",
      {
        class: "branch stack",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          start(this.#read());
        },
      },
      element("h3", {}, "Branch from here"),
      element(
        "p",
        { class: "hint" },
        "Keeps the rows above, and generates the others again.",
      ),
      element(
        "div",
        { class: "fields" },
        ...[...this.fields.values()].map(({ root }) => root),
      ),
      element(
        "div",
        { class: "actions" },
        element("button", { class: "primary" }, "Branch"),
        this.#stop,
      ),
    );
  }

  /**
   * Fills the form with the settings of a picture.
   *
   * @param {Settings} basis
   * @param {number} rows Rows of the picture.
   */
  describe(basis, rows) {
    this.#basis = basis;
    this.#prompt.value = basis.prompt;
    this.#seed.write(undefined);
    this.#temperature.value = String(basis.temperature ?? "");
    this.#row.max = String(rows);
    this.setRow(Math.floor(rows / 2));
  }

  /** @param {number} row First row to regenerate. */
  setRow(row) {
    this.#row.value = String(row + 1);
    this.fields.get("prefix")?.setFault(undefined);
  }

  /** @param {boolean} running */
  setRunning(running) {
    this.#stop.hidden = !running;
  }

  /** @returns {Branch} */
  #read() {
    const { n: _, temperature: __, ...basis } = this.#basis;
    return {
      row: Number(this.#row.value) - 1,
      settings: {
        ...basis,
        prompt: this.#prompt.value,
        seed: this.#seed.take(),
        ...(this.#temperature.value !== "" && {
          temperature: Number(this.#temperature.value),
        }),
      },
    };
  }
}
