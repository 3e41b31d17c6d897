/**
 * The style sheets of parts that are loaded on demand.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "./element.js";

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
