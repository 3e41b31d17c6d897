/**
 * The field of a picture's shape: a listed ratio, a custom one, or the exact
 * pixels of an imported picture.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";

const RATIOS = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"];

/** A list of ratios, and a field for a custom one. */
export class RatioField {
  #list = element(
    "select",
    {},
    ...RATIOS.map((ratio) => element("option", {}, ratio)),
    element("option", { value: "" }, "Custom…"),
  );
  #free = element("input", {
    pattern: "\\s*[1-9][0-9]*\\s*:\\s*[1-9][0-9]*\\s*",
    placeholder: "21:9",
    hidden: true,
    "aria-label": "Aspect ratio, width to height",
    title: "Two whole numbers, width to height, such as 21:9",
  });
  field = new Field("Ratio", this.#list, { beside: [this.#free] });
  root = this.field.root;

  /** Creates the field with a square selected. */
  constructor() {
    this.#list.addEventListener("change", () => {
      this.#offerFree();
      if (!this.#free.hidden) this.#free.focus();
    });
  }

  /** @returns {Pick<import("../logic/settings.js").Settings, "ratio" | "height" | "width">} */
  read() {
    const { value } = this.#list;
    const [, width, height] = /^(\d+)x(\d+)$/.exec(value) ?? [];
    if (width !== undefined) {
      return { height: Number(height), width: Number(width) };
    }
    return { ratio: value || this.#free.value.replaceAll(/\s/g, "") || "1:1" };
  }

  /** @param {Pick<import("../logic/settings.js").Settings, "ratio" | "height" | "width">} settings */
  write({ ratio = "1:1", height, width }) {
    this.#list.querySelector("option[value*=x]")?.remove();
    if (height !== undefined && width !== undefined) {
      const value = `${width}x${height}`;
      const text = `${width} × ${height} pixels`;
      this.#list.prepend(element("option", { value }, text));
      this.#list.value = value;
    } else if (RATIOS.includes(ratio)) this.#list.value = ratio;
    else {
      this.#list.value = "";
      this.#free.value = ratio;
    }
    this.#offerFree();
  }

  #offerFree() {
    this.#free.hidden = this.#list.value !== "";
    this.#free.required = !this.#free.hidden;
    this.#free.disabled = this.#free.hidden;
  }
}
