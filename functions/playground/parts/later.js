/**
 * The deferred parts of the page.
 *
 * @module
 */

// @ts-check

/** Delay until invisible parts are loaded, in milliseconds. */
const IDLE_MS = 1500;

/** @returns {Promise<void>} Settles once the page is likely idle. */
export function idle() {
  return new Promise((resolve) => setTimeout(resolve, IDLE_MS));
}

/**
 * Imports a module. Browsers cache a failed import, so a retry does not help.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
export async function later(load) {
  try {
    return await load();
  } catch (cause) {
    throw new Error(
      "A part of the page could not be loaded: reload the page; your settings are kept.",
      { cause },
    );
  }
}
