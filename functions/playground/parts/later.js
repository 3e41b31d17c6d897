/**
 * Parts of the page that come when they are needed.
 *
 * @module
 */

// @ts-check

/** Time until what is not needed to be seen is loaded, in milliseconds. */
const CALM_MS = 1500;

/** @returns {Promise<void>} Settles once the page has come to rest. */
export function calm() {
  return new Promise((resolve) => setTimeout(resolve, CALM_MS));
}

/**
 * What `load` imports. Browsers remember what could not be fetched, so that it
 * is of no use to try again.
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
      "A part of the page could not be loaded: load the page again, your settings stay.",
      { cause },
    );
  }
}
