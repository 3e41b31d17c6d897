/**
 * The formats of quantities.
 *
 * @module
 */

// @ts-check

/** @param {number} bytes */
export function bytesText(bytes) {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} KB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(0)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/**
 * Formats seconds with the precision that is useful.
 *
 * @param {number} seconds
 */
export function secondsText(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * Formats a probability, given its natural logarithm.
 *
 * @param {number} logprob
 */
export function percentText(logprob) {
  const percent = Math.exp(logprob) * 100;
  if (percent >= 99.95) return "100 %";
  if (percent >= 10) return `${percent.toFixed(0)} %`;
  if (percent >= 0.1) return `${percent.toFixed(1)} %`;
  return "under 0.1 %";
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many] Plural; `one` with an s by default.
 */
export function countText(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
