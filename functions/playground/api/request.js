/**
 * The public API, as the page calls it.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { anotherKey, currentKey } from "./key.js";
import { problemOf, UnreachableError } from "./problem.js";

/**
 * @typedef {object} CallOptions
 * @property {string} [accept] Media type of the answer; JSON when left out.
 * @property {AbortSignal} [signal] Ends it.
 * @property {string} [type] Media type of the body, where it does not say.
 */

/**
 * The answer to a GET, as JSON.
 *
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function getJson(path, { signal } = {}) {
  const answer = await call(path, {
    headers: { accept: "application/json" },
    ...(signal && { signal }),
  });
  return await answer.json();
}

/**
 * The answer to a GET, as text.
 *
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<string>}
 */
export async function getText(path, { signal } = {}) {
  const answer = await call(path, {
    headers: { accept: "text/plain" },
    ...(signal && { signal }),
  });
  return await answer.text();
}

/**
 * The answer to a POST.
 *
 * @param {string} path
 * @param {unknown} body A form, a file or a buffer goes as it is, all else as JSON.
 * @param {CallOptions} [options]
 * @returns {Promise<Response>}
 */
export async function post(path, body, options = {}) {
  const { accept = "application/json", signal, type } = options;
  const bare = body instanceof FormData || body instanceof Blob ||
    body instanceof ArrayBuffer;
  /** @type {Record<string, string>} */
  const headers = { accept };
  if (!bare) headers["content-type"] = "application/json";
  if (type !== undefined) headers["content-type"] = type;
  return await call(path, {
    method: "POST",
    headers,
    body: bare ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/**
 * Fetches with the key of this tab, and asks for one where it is needed.
 *
 * @param {string} path
 * @param {RequestInit & { headers: Record<string, string> }} init
 * @returns {Promise<Response>}
 */
async function call(path, init) {
  const key = currentKey();
  const headers = key === undefined
    ? init.headers
    : { ...init.headers, authorization: `Bearer ${key}` };
  const response = await fetch(path, { ...init, headers }).catch((cause) => {
    throw init.signal?.aborted ? cause : new UnreachableError(cause);
  });
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status !== 401 || !await anotherKey(key, problem.message)) {
    throw problem;
  }
  return await call(path, init);
}
