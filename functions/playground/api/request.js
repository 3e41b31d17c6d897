/**
 * A client of the public API.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { anotherKey, currentKey } from "./key.js";
import { problemOf, UnreachableError } from "./problem.js";

/**
 * @typedef {object} CallOptions
 * @property {string} [accept] Media type of the answer; JSON by default.
 * @property {AbortSignal} [signal] Aborts the request.
 * @property {string} [type] Media type of a body that does not carry one.
 */

/**
 * Sends a GET and returns the answer as JSON.
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
 * Sends a GET and returns the answer as text.
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
 * Sends a POST and returns the answer.
 *
 * @param {string} path
 * @param {unknown} body Form, file or buffer; all else is sent as JSON.
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
 * Fetches with the key of this tab, or prompts for one if required.
 *
 * @param {string} path
 * @param {RequestInit & { headers: Record<string, string> }} init
 * @returns {Promise<Response>}
 */
export async function call(path, init) {
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
