/**
 * The form field: a control with its label, a hint and its error.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element, freshId } from "./element.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** A control with its label. */
export class Field {
  /** Container of the field. */
  root;
  /** @type {Control} Input of the field. */
  control;
  /** @type {HTMLElement} */
  #fault;

  /**
   * @param {string} label
   * @param {Control} control Control, which gets an id if it has none.
   * @param {{ hint?: string, class?: string, beside?: Node[] }} [options]
   */
  constructor(label, control, options = {}) {
    const { hint, beside = [] } = options;
    control.id ||= freshId("field");
    const fault = element("p", {
      id: `${control.id}-fault`,
      class: "fault",
      hidden: true,
    });
    const described = [fault.id];
    if (hint !== undefined) described.push(`${control.id}-hint`);
    control.setAttribute("aria-describedby", described.join(" "));
    this.control = control;
    this.#fault = fault;
    this.root = element(
      "div",
      { class: `field ${options.class ?? ""}`.trim() },
      element("label", { for: control.id }, label),
      beside.length === 0
        ? control
        : element("div", { class: "beside" }, control, ...beside),
      hint === undefined ? undefined : element(
        "p",
        { id: `${control.id}-hint`, class: "hint" },
        hint,
      ),
      fault,
    );
    control.addEventListener("input", () => this.setFault(undefined));
  }

  /**
   * Shows an error; undefined clears it.
   *
   * @param {string | undefined} text
   */
  setFault(text) {
    this.#fault.textContent = text ?? "";
    this.#fault.hidden = text === undefined;
    if (text === undefined) this.control.removeAttribute("aria-invalid");
    else this.control.setAttribute("aria-invalid", "true");
  }
}

/**
 * Shows the errors of a problem at their fields, and focuses the first.
 *
 * @param {readonly import("../api/problem.js").FieldFault[]} faults
 * @param {ReadonlyMap<string, Field>} fields Fields by first name of the pointer.
 * @returns {readonly import("../api/problem.js").FieldFault[]} Other
 *   errors.
 */
export function placeFaults(faults, fields) {
  for (const field of new Set(fields.values())) field.setFault(undefined);
  /** @type {Field | undefined} */
  let first;
  const homeless = faults.filter(({ pointer, detail }) => {
    const field = fields.get(pointer.split("/")[1] ?? "");
    field?.setFault(detail);
    first ??= field;
    return field === undefined;
  });
  if (first !== undefined) {
    first.control.closest("details")?.setAttribute("open", "");
    first.control.focus();
  }
  return homeless;
}
