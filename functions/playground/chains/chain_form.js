/**
 * The form of a chain's input.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { pictureInput } from "../parts/picture_input.js";
import { inputFields, valueOf } from "./input_fields.js";

/** @typedef {import("./input_fields.js").InputField} InputField */

/** The fields of one chain, and their values. */
export class ChainForm {
  /** Fields by name, for the errors of the server. */
  fields = /** @type {Map<string, Field>} */ (new Map());
  /** @type {InputField[]} */
  #inputs;
  /** @type {Blob | undefined} */
  #image;
  #preview = element("img", { class: "chosen", alt: "", hidden: true });
  /** @type {() => import("../shell/shell.js").Picture | undefined} */
  #current;
  root;

  /**
   * @param {import("./chains_call.js").Chain} chain
   * @param {() => import("../shell/shell.js").Picture | undefined} current
   *   Returns the current picture of the page.
   */
  constructor({ input }, current) {
    this.#current = current;
    this.#inputs = inputFields(input);
    const first = this.#inputs.filter(({ first }) => first);
    const others = this.#inputs.filter(({ first }) => !first);
    this.root = element(
      "div",
      { class: "stack" },
      ...first.map((field) => this.#field(field)),
      others.length === 0 ? undefined : element(
        "details",
        {},
        element("summary", {}, "More settings"),
        element(
          "div",
          { class: "fields" },
          ...others.map((field) => this.#field(field)),
        ),
      ),
    );
  }

  /**
   * Returns the input that the form holds.
   *
   * @returns {Promise<Record<string, unknown>>}
   */
  async read() {
    /** @type {Record<string, unknown>} */
    const input = {};
    for (const field of this.#inputs) {
      if (field.kind === "image") {
        if (this.#image !== undefined) {
          input[field.name] = await dataUrl(this.#image);
        }
        continue;
      }
      const control = this.fields.get(field.name)?.control;
      if (control === undefined) continue;
      const text = control instanceof HTMLInputElement && field.kind === "check"
        ? String(control.checked)
        : control.value;
      const value = valueOf(field, text);
      if (value !== undefined && value !== field.schema.default) {
        input[field.name] = value;
      }
    }
    return input;
  }

  /** @param {InputField} input */
  #field(input) {
    if (input.kind === "image") return this.#imageField();
    const control = controlOf(input);
    const field = new Field(input.label, control, {
      ...input.hint && { hint: input.hint },
      ...input.kind === "check" && { class: "check" },
    });
    this.fields.set(input.name, field);
    return field.root;
  }

  #imageField() {
    const drawn = element("button", {
      type: "button",
      onclick: () => this.#take(this.#current()?.file),
    }, "Current picture");
    drawn.hidden = this.#current() === undefined;
    return element(
      "div",
      { class: "stack" },
      pictureInput({
        words: "Drop a picture here, or choose one.",
        onFiles: ([file]) => this.#take(file),
      }, drawn),
      this.#preview,
    );
  }

  /** @param {Blob | undefined} file */
  #take(file) {
    if (file === undefined) return;
    URL.revokeObjectURL(this.#preview.src);
    this.#image = file;
    this.#preview.src = URL.createObjectURL(file);
    this.#preview.alt = "The chosen picture";
    this.#preview.hidden = false;
  }
}

/**
 * @param {InputField} field
 * @returns {import("../parts/field.js").Control}
 */
function controlOf({ kind, schema, required }) {
  switch (kind) {
    case "choice":
      return choice(schema, required);
    case "check":
      return element("input", {
        type: "checkbox",
        checked: schema.default === true,
      });
    case "number":
      return element("input", {
        type: "number",
        step: schema.type === "integer" ? "1" : "any",
        ...schema.minimum !== undefined && { min: `${schema.minimum}` },
        ...schema.maximum !== undefined && { max: `${schema.maximum}` },
        ...schema.default !== undefined && { value: `${schema.default}` },
        required,
      });
    case "text":
      return element("input", { type: "text", required });
    default:
      return element("textarea", { rows: kind === "long" ? 2 : 5, required });
  }
}

/**
 * @param {import("./input_fields.js").FieldSchema} schema
 * @param {boolean} required
 */
function choice({ enum: choices = [], default: usual }, required) {
  const none = required || usual !== undefined ? [] : [""];
  return element(
    "select",
    {},
    ...[...none, ...choices].map((value) =>
      element("option", { value, selected: value === usual }, value)
    ),
  );
}

/**
 * @param {Blob} file
 * @returns {Promise<string>}
 */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
