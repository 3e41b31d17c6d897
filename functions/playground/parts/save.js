/**
 * The download of files.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "./element.js";

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
