/**
 * Parts of the page that come when they are needed.
 *
 * @module
 */

// @ts-check

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
