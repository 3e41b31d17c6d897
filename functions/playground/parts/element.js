/**
 * The builder of DOM elements.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/**
 * Creates an element with its properties, attributes, listeners and children.
 *
 * A name that begins with `on` is a listener; `class`, `role`, `for`, `list`
 * and names with a hyphen are attributes; everything else is a property.
 * Undefined values are skipped.
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

/** Count of identifiers so far. */
let names = 0;

/**
 * Returns an `id` that is unique in the document.
 *
 * @param {string} stem
 */
export function freshId(stem) {
  return `${stem}-${++names}`;
}

/**
 * Returns the element of the document with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new RangeError(`Cannot find #${id}: no such id`);
  return found;
}

/**
 * Downloads a file.
 *
 * @param {BlobPart} content
 * @param {string} name
 * @param {string} [type]
 */
export function saveAs(content, name, type = "application/octet-stream") {
  const url = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: url, download: name }).click();
  // The download has started by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Adds a sheet of the folder `style`, once.
 *
 * @param {string} name
 */
export function addStyle(name) {
  const href = `/page/style/${name}`;
  if (document.head.querySelector(`link[href="${href}"]`) !== null) return;
  document.head.append(element("link", { rel: "stylesheet", href }));
}
