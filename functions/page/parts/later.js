/**
 * Parts of the page that come when they are needed.
 *
 * @module
 */

// @ts-check

import { UnreachableError } from "../api/problem.js";

/**
 * What `load` imports. Where that fails the server is not there, and it may be
 * tried again.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
export async function later(load) {
  try {
    return await load();
  } catch (cause) {
    throw new UnreachableError(cause);
  }
}
