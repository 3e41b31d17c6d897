/**
 * The counters of `/metrics` and their rates.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ atMs: number, tokens: number, forwards: number, requests: number }} Sample
 * Counters at a moment.
 *
 * @typedef {{ tokens: number, forwards: number, requests: number }} Rates
 * Rates per second.
 */

/**
 * Sums a metric over its labels.
 *
 * @param {string} text Metrics in Prometheus's format.
 * @param {string} name
 * @param {string} [label] Label that lines must have, such as `method="POST"`.
 * @returns {number}
 */
export function sumOf(text, name, label = "") {
  return text.split("\n")
    .filter((line) =>
      line.startsWith(`${name} `) || line.startsWith(`${name}{`)
    )
    .filter((line) => line.includes(label))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)))
    .reduce((sum, value) => sum + value, 0);
}

/**
 * @param {string} text Metrics in Prometheus's format.
 * @param {number} atMs
 * @returns {Sample}
 */
export function sampleOf(text, atMs) {
  return {
    atMs,
    tokens: sumOf(text, "emu3_tokens_total"),
    forwards: sumOf(text, "emu3_forwards_total"),
    requests: sumOf(text, "http_requests_total", 'method="POST"'),
  };
}

/**
 * Returns the rates of counters between two samples.
 *
 * @param {Sample} before
 * @param {Sample} after
 * @returns {Rates | undefined} Undefined if the server has restarted.
 */
export function ratesBetween(before, after) {
  const seconds = (after.atMs - before.atMs) / 1000;
  if (seconds <= 0 || after.tokens < before.tokens) return undefined;
  if (after.requests < before.requests) return undefined;
  return {
    tokens: (after.tokens - before.tokens) / seconds,
    forwards: (after.forwards - before.forwards) / seconds,
    requests: (after.requests - before.requests) / seconds,
  };
}
