/**
 * A picture as far as its rows have come, and how to go on from there.
 *
 * @module
 */

// @ts-check

import { blankJudgements, noteCells } from "./judgements.js";

/**
 * @typedef {import("./judgements.js").WireJudgement} WireJudgement
 * @typedef {{ index: number, codes: number[], logprobs?: WireJudgement[] }} WireRow
 * @typedef {import("../shell/shell.js").Judgements} Judgements
 * @typedef {{ height?: number, width?: number, codes: number[][] }} WireGrid
 * @typedef {{ codes: (number | null)[][] }} WireKeptGrid
 */

/** Rows of one picture. */
export class DrawnRows {
  height;
  width;
  /** Row by row; zero where none has come. */
  codes;
  /** How many have come, from the first on. */
  count = 0;
  /** @type {Judgements | undefined} */
  judgements;

  /**
   * @param {{ height: number, width: number }} size
   * @param {WireGrid | WireKeptGrid} [given] Rows that are given, codes that stay.
   */
  constructor({ height, width }, given) {
    this.height = height;
    this.width = width;
    this.codes = new Uint16Array(height * width);
    for (const row of given?.codes ?? []) {
      // Rows below the first code that is drawn come as they are drawn.
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
    this.judgements ??= blankJudgements(this.codes.length, rivals);
    noteCells(this.judgements, index * this.width, logprobs);
  }

  /** As the API takes it, as far as it goes. */
  get grid() {
    return wireGrid(this, this.count);
  }
}

/**
 * The first rows as the API takes them.
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
 * What to ask for to go on where a drawing broke off.
 *
 * One picture keeps its rows; several, and one with codes that stay, begin again,
 * and with the same seed come out the same.
 *
 * @template {{ n?: number, seed?: number, prefix?: WireGrid, keep?: WireKeptGrid }} Body
 * @param {Body} body What was asked for.
 * @param {{ seed?: number | undefined, rows?: DrawnRows | undefined, state?: import("../api/problem.js").ResumeState | undefined }} known
 * @returns {Body}
 */
export function resumedBody(body, { seed, rows, state }) {
  const known = state?.seed ?? seed ?? body.seed;
  const resumed = known === undefined ? body : { ...body, seed: known };
  const several = (body.n ?? 1) > 1;
  if (several || body.keep !== undefined || rows === undefined) return resumed;
  const told = state?.images[0]?.prefix;
  // One row has to be left to draw: without it there is nothing to answer.
  const kept = Math.min(rows.count, rows.height - 1);
  if (told !== undefined && told.codes.length > kept) {
    return { ...resumed, prefix: told };
  }
  return kept === 0 ? resumed : { ...resumed, prefix: wireGrid(rows, kept) };
}
