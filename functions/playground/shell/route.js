/**
 * The route: the part of the address after `#`.
 *
 * ```text
 * #draw?prompt=a+cat&seed=7
 *  view  settings
 * ```
 *
 * @module
 */

// @ts-check

/** @typedef {{ view: string, params: URLSearchParams }} Route */

/**
 * @param {string} hash Hash with or without its `#`.
 * @param {string} first Default view.
 * @returns {Route}
 */
export function parseRoute(hash, first) {
  const [, view, query] = /^#?([a-z-]*)(?:\?(.*))?$/s.exec(hash) ?? [];
  return { view: view || first, params: new URLSearchParams(query ?? "") };
}

/**
 * @param {string} view
 * @param {URLSearchParams} [params]
 * @returns {string} Hash with its `#`.
 */
export function formatRoute(view, params) {
  const query = params?.toString() ?? "";
  return query === "" ? `#${view}` : `#${view}?${query}`;
}
