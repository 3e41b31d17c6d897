/**
 * Cells of a grid: how keys move over them, and what is known of one.
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
 * @property {number} [logprob] Of the code that was drawn; undefined where nothing was noted.
 * @property {number} [entropyBits]
 * @property {Rival[]} rivals Strongest first.
 */

/**
 * Where a key leads; undefined where it leads nowhere.
 *
 * @param {string} key
 * @param {boolean} far Whether it goes to the very end.
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
 * @param {import("../shell/shell.js").Judgements | undefined} judgements
 * @param {Cell} cell
 * @returns {CellFacts}
 */
export function factsOf({ width, codes }, judgements, { y, x }) {
  const cell = y * width + x;
  const code = codes[cell] ?? 0;
  const logprob = judgements?.logprobs[cell] ?? NaN;
  if (judgements === undefined || Number.isNaN(logprob)) {
    return { code, rivals: [] };
  }
  const rivals = Array.from({ length: judgements.rivals }, (_, i) => {
    const at = cell * judgements.rivals + i;
    const rival = judgements.codes[at] ?? 0;
    const likely = judgements.rivalLogprobs[at] ?? NaN;
    return { code: rival, logprob: likely, drawn: rival === code };
  }).filter(({ logprob }) => !Number.isNaN(logprob));
  const entropy = judgements.entropies[cell] ?? NaN;
  return { code, logprob, entropyBits: entropy / Math.LN2, rivals };
}

/**
 * The same in a sentence.
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
    : `${known} Strongest rivals: ${others.join(", ")}.`;
}
