/**
 * The fields of a chain's form, from the JSON Schema of its input.
 *
 * ```text
 * string                 a text; many lines for prompts and questions
 * number, boolean, enum  a number, a check box, a list
 * array of texts         a line each
 * array of questions     a line each: question = answer, other answer
 * image                  a file
 * ```
 *
 * @module
 */

// @ts-check

/**
 * @typedef {object} FieldSchema
 * @property {string} [type]
 * @property {readonly string[]} [enum]
 * @property {unknown} [default]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [maxLength]
 * @property {string} [description]
 * @property {FieldSchema} [items]
 * @property {readonly FieldSchema[]} [anyOf]
 * @property {Record<string, FieldSchema>} [properties]
 *
 * @typedef {{ properties?: Record<string, FieldSchema>, required?: readonly string[], anyOf?: readonly InputSchema[] }} InputSchema
 *
 * @typedef {"text" | "long" | "number" | "check" | "choice" | "lines" | "questions" | "image"} FieldKind
 *
 * @typedef {object} InputField
 * @property {string} name
 * @property {string} label
 * @property {FieldKind} kind
 * @property {FieldSchema} schema
 * @property {boolean} required
 * @property {boolean} first True if it is shown without "More settings".
 * @property {string | undefined} hint
 */

/** Names of texts with room for several lines. */
const LONG = new Set(["prompt", "style", "negative_prompt"]);

/** Names of optional fields that people set often. */
const OFTEN = new Set(["n", "rank", "rounds", "caption", "style"]);

/**
 * Returns the fields of a form, those that are often set first.
 *
 * @param {InputSchema} schema
 * @returns {InputField[]}
 */
export function inputFields(schema) {
  // Of an image or its codes, a person has the image.
  const body = schema.anyOf?.find(({ properties }) => properties?.["image"]) ??
    schema;
  const required = new Set(body.required ?? []);
  return Object.entries(body.properties ?? {}).flatMap(([name, field]) => {
    const kind = kindOf(name, field);
    if (kind === undefined) return [];
    return [{
      name,
      label: labelOf(name),
      kind,
      schema: field,
      required: required.has(name),
      first: required.has(name) || OFTEN.has(name),
      hint: hintOf(kind, field),
    }];
  });
}

/**
 * Returns the kind of a field; undefined if a form cannot have it.
 *
 * @param {string} name
 * @param {FieldSchema} schema
 * @returns {FieldKind | undefined}
 */
function kindOf(name, { type, items, enum: choices }) {
  if (name === "image") return "image";
  if (choices !== undefined) return "choice";
  if (type === "string") return LONG.has(name) ? "long" : "text";
  if (type === "number" || type === "integer") return "number";
  if (type === "boolean") return "check";
  if (type !== "array") return undefined;
  if (items?.properties?.["question"] !== undefined) return "questions";
  const texts = [items, ...items?.anyOf ?? []];
  return texts.some((item) => item?.type === "string") ? "lines" : undefined;
}

/** @param {string} name */
function labelOf(name) {
  if (name === "n") return "Pictures";
  const words = name.replaceAll("_", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/**
 * @param {FieldKind} kind
 * @param {FieldSchema} schema
 */
function hintOf(kind, { description }) {
  switch (kind) {
    case "lines":
      return "One per line.";
    case "questions":
      return "One per line, with the accepted answers: What is at the top? = rocket, a rocket";
    case "image":
      return undefined;
    case "check":
      return description?.replace(
        /^true to (.)/,
        (_, first) => first.toUpperCase(),
      );
    default:
      return description;
  }
}

/**
 * Returns the value that a control's text stands for; undefined for an empty
 * one, whose default is taken.
 *
 * @param {Pick<InputField, "kind">} field
 * @param {string} text
 * @returns {unknown}
 */
export function valueOf({ kind }, text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  switch (kind) {
    case "number":
      return Number(trimmed);
    case "check":
      return trimmed === "true";
    case "lines":
      return linesOf(trimmed);
    case "questions":
      return linesOf(trimmed).map(questionOf);
    default:
      return kind === "long" || kind === "text" ? text : trimmed;
  }
}

/** @param {string} text */
function linesOf(text) {
  return text.split("\n").map((line) => line.trim()).filter((line) =>
    line !== ""
  );
}

/** @param {string} line */
function questionOf(line) {
  const at = line.lastIndexOf("=");
  const answers = at < 0 ? "" : line.slice(at + 1);
  return {
    question: (at < 0 ? line : line.slice(0, at)).trim(),
    expect: answers.split(",").map((answer) => answer.trim()).filter((answer) =>
      answer !== ""
    ),
  };
}
