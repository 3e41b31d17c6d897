/**
 * Elements in one expression.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/**
 * An element with its properties, attributes, listeners and children.
 *
 * A name that begins with `on` is a listener; `class`, and what has a hyphen, is
 * an attribute, as is `role`, `for` and `list`; everything else is a property.
 * What is undefined is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [settings]
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, settings = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (name.startsWith("on")) {
      made.addEventListener(
        name.slice(2),
        /** @type {EventListener} */ (value),
      );
    } else if (name.includes("-") || ATTRIBUTES.has(name)) {
      made.setAttribute(name, String(value));
    } else Object.assign(made, { [name]: value });
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const ATTRIBUTES = new Set(["class", "role", "for", "list", "form"]);

/** How many names were given out. */
let names = 0;

/**
 * A name for an `id` that nothing else in the document has.
 *
 * @param {string} stem
 */
export function freshId(stem) {
  return `${stem}-${++names}`;
}

/**
 * The element of the document with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new RangeError(`Cannot find #${id}: no such id`);
  return found;
}
