/**
 * The rows of a picture drawn so far, and the request that resumes it.
 *
 * @module
 */

// @ts-check

import { blankScores, storeScores } from "./scores.js";

/**
 * @typedef {import("./scores.js").WireScore} WireScore
 * @typedef {{ index: number, codes: number[], logprobs?: WireScore[] }} WireRow
 * @typedef {import("../shell/shell.js").Scores} Scores
 * @typedef {{ height?: number, width?: number, codes: number[][] }} WireGrid
 * @typedef {{ codes: (number | null)[][] }} WireKeptGrid
 */

/** The rows of one picture. */
export class DrawnRows {
  height;
  width;
  /** Codes, row by row; zero for rows that are missing. */
  codes;
  /** Count of rows so far, from the first on. */
  count = 0;
  /** @type {Scores | undefined} */
  scores;

  /**
   * @param {{ height: number, width: number }} size
   * @param {WireGrid | WireKeptGrid} [given] Rows that are given, or codes that
   *   are kept.
   */
  constructor({ height, width }, given) {
    this.height = height;
    this.width = width;
    this.codes = new Uint16Array(height * width);
    for (const row of given?.codes ?? []) {
      // From the first code that is drawn, rows arrive in events.
      if (row.includes(null)) break;
      this.codes.set(/** @type {number[]} */ (row), this.count * width);
      this.count++;
    }
  }

  /** @param {WireRow} row */
  add({ index, codes, logprobs }) {
    this.codes.set(codes, index * this.width);
    this.count = Math.max(this.count, index + 1);
    if (logprobs === undefined) return;
    const rivals = logprobs[0]?.top.length ?? 0;
    this.scores ??= blankScores(this.codes.length, rivals);
    storeScores(this.scores, index * this.width, logprobs);
  }

  /** Rows so far, in the API's format. */
  get grid() {
    return wireGrid(this, this.count);
  }
}

/**
 * Converts the first rows into the API's format.
 *
 * @param {{ height: number, width: number, codes: Uint16Array }} grid
 * @param {number} rows
 */
export function wireGrid({ width, codes }, rows) {
  return {
    height: rows,
    width,
    codes: Array.from(
      { length: rows },
      (_, y) => [...codes.subarray(y * width, (y + 1) * width)],
    ),
  };
}

/**
 * Returns the request that resumes an interrupted drawing.
 *
 * One picture keeps its rows; several, and one with kept codes, begin again,
 * and the same seed reproduces them.
 *
 * @template {{ n?: number, seed?: number, prefix?: WireGrid, keep?: WireKeptGrid }} Body
 * @param {Body} body Interrupted request.
 * @param {{ seed?: number | undefined, rows?: DrawnRows | undefined, state?: import("../api/problem.js").ResumeState | undefined }} known
 * @returns {Body}
 */
export function resumedBody(body, { seed, rows, state }) {
  const known = state?.seed ?? seed ?? body.seed;
  const resumed = known === undefined ? body : { ...body, seed: known };
  const several = (body.n ?? 1) > 1;
  if (several || body.keep !== undefined || rows === undefined) return resumed;
  const given = state?.images[0]?.prefix;
  // One row must be left to draw; a request without any is refused.
  const kept = Math.min(rows.count, rows.height - 1);
  if (given !== undefined && given.codes.length > kept) {
    return { ...resumed, prefix: given };
  }
  return kept === 0 ? resumed : { ...resumed, prefix: wireGrid(rows, kept) };
}
