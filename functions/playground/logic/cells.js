/**
 * The cells of a grid: keyboard movement, and the description of a cell.
 *
 * @module
 */

// @ts-check

import { percentText } from "./quantities.js";

/**
 * @typedef {{ y: number, x: number }} Cell
 * @typedef {{ height: number, width: number }} Size
 * @typedef {{ code: number, logprob: number, drawn: boolean }} Rival
 *
 * @typedef {object} CellFacts
 * @property {number} code
 * @property {number} [logprob] Logprob of the drawn code; undefined if it was
 *   not recorded.
 * @property {number} [entropyBits]
 * @property {Rival[]} rivals Alternatives, most likely first.
 */

/**
 * Returns the cell that a key moves to; undefined for other keys.
 *
 * @param {string} key
 * @param {boolean} far True to move to the edge.
 * @param {Cell} from
 * @param {Size} size
 * @returns {Cell | undefined}
 */
export function movedBy(key, far, { y, x }, { height, width }) {
  /** @param {number} value @param {number} count */
  const within = (value, count) => Math.min(count - 1, Math.max(0, value));
  switch (key) {
    case "ArrowUp":
      return { y: within(y - 1, height), x };
    case "ArrowDown":
      return { y: within(y + 1, height), x };
    case "ArrowLeft":
      return { y, x: within(x - 1, width) };
    case "ArrowRight":
      return { y, x: within(x + 1, width) };
    case "PageUp":
      return { y: within(y - 8, height), x };
    case "PageDown":
      return { y: within(y + 8, height), x };
    case "Home":
      return { y: far ? 0 : y, x: 0 };
    case "End":
      return { y: far ? height - 1 : y, x: width - 1 };
    default:
      return undefined;
  }
}

/**
 * @param {{ width: number, codes: Uint16Array }} grid
 * @param {import("../shell/shell.js").Scores | undefined} scores
 * @param {Cell} cell
 * @returns {CellFacts}
 */
export function factsOf({ width, codes }, scores, { y, x }) {
  const cell = y * width + x;
  const code = codes[cell] ?? 0;
  const logprob = scores?.logprobs[cell] ?? NaN;
  if (scores === undefined || Number.isNaN(logprob)) {
    return { code, rivals: [] };
  }
  const rivals = Array.from({ length: scores.rivals }, (_, i) => {
    const at = cell * scores.rivals + i;
    const rival = scores.codes[at] ?? 0;
    const likely = scores.rivalLogprobs[at] ?? NaN;
    return { code: rival, logprob: likely, drawn: rival === code };
  }).filter(({ logprob }) => !Number.isNaN(logprob));
  const entropy = scores.entropies[cell] ?? NaN;
  return { code, logprob, entropyBits: entropy / Math.LN2, rivals };
}

/**
 * Describes a cell in a sentence.
 *
 * @param {Cell} cell
 * @param {CellFacts} facts
 */
export function sentenceOf({ y, x }, { code, logprob, entropyBits, rivals }) {
  const place = `Row ${y + 1}, column ${x + 1}: code ${code}`;
  if (logprob === undefined || entropyBits === undefined) return `${place}.`;
  const others = rivals.filter(({ drawn }) => !drawn).slice(0, 2)
    .map(({ code, logprob }) => `${code} at ${percentText(logprob)}`);
  const known = `${place}, ${percentText(logprob)}, entropy ${
    entropyBits.toFixed(1)
  } bits.`;
  return others.length === 0
    ? known
    : `${known} Most likely alternatives: ${others.join(", ")}.`;
}
