/**
 * The rows of a picture drawn so far, and the request that resumes it.
 *
 * @module
 */

// @ts-check

import { wireClip } from "./clip_codes.js";
import { blankScores, storeScores } from "./scores.js";

/**
 * @typedef {import("./scores.js").WireScore} WireScore
 * @typedef {{ index: number, frame?: number, codes: number[], logprobs?: WireScore[] }} WireRow
 * @typedef {import("../shell/shell.js").Scores} Scores
 * @typedef {{ height?: number, width?: number, codes: number[][] }} WireGrid
 * @typedef {{ codes: (number | null)[][] }} WireKeptGrid
 * @typedef {import("./clip_codes.js").WireClip} WireClip
 */

/** The rows of one picture, or of a clip's frames, one below the other. */
export class DrawnRows {
  height;
  width;
  /** Rows of one frame. */
  frameHeight;
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
   * @param {number} [frameHeight] Rows of one frame of a clip.
   */
  constructor({ height, width }, given, frameHeight = height) {
    this.height = height;
    this.width = width;
    this.frameHeight = frameHeight;
    this.codes = new Uint16Array(height * width);
    for (const row of given?.codes ?? []) {
      // From the first code that is drawn, rows arrive in events.
      if (row.includes(null)) break;
      this.codes.set(/** @type {number[]} */ (row), this.count * width);
      this.count++;
    }
  }

  /** @param {WireRow} row */
  add({ index: row, frame = 0, codes, logprobs }) {
    const index = frame * this.frameHeight + row;
    this.codes.set(codes, index * this.width);
    this.count = Math.max(this.count, index + 1);
    if (logprobs === undefined) return;
    const rivals = logprobs[0]?.top.length ?? 0;
    this.scores ??= blankScores(this.codes.length, rivals);
    storeScores(this.scores, index * this.width, logprobs);
  }

  /** Count of frames of which all rows are drawn. */
  get frames() {
    return Math.floor(this.count / this.frameHeight);
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
 * Returns the whole frames of a clip's rows.
 *
 * @param {DrawnRows} rows
 * @param {number} framesPerCode
 * @returns {import("./clip_codes.js").ClipCodes}
 */
export function clipOfRows(
  { frames, frameHeight, width, codes },
  framesPerCode,
) {
  return {
    frames,
    height: frameHeight,
    width,
    codes: codes.slice(0, frames * frameHeight * width),
    framesPerCode,
  };
}

/**
 * Returns the request that resumes an interrupted drawing.
 *
 * One picture keeps its rows, and one clip its whole frames; several, and one
 * with kept codes, begin again, and the same seed reproduces them.
 *
 * @template {{ n?: number, seed?: number, prefix?: WireGrid, keep?: WireKeptGrid, frames?: number, clip?: WireClip }} Body
 * @param {Body} body Interrupted request.
 * @param {{ seed?: number | undefined, rows?: DrawnRows | undefined, state?: import("../api/problem.js").ResumeState | undefined }} known
 * @returns {Body}
 */
export function resumedBody(body, { seed, rows, state }) {
  const known = state?.seed ?? seed ?? body.seed;
  const resumed = known === undefined ? body : { ...body, seed: known };
  const several = (body.n ?? 1) > 1;
  if (several || body.keep !== undefined || rows === undefined) return resumed;
  if (body.frames !== undefined && rows.height > rows.frameHeight) {
    const codeFrames = rows.height / rows.frameHeight;
    // One frame must be left to draw.
    const frames = Math.min(rows.frames, codeFrames - 1);
    if (frames <= (body.clip?.codes.length ?? 0)) return resumed;
    const framesPerCode = body.frames / codeFrames;
    return {
      ...resumed,
      clip: wireClip({ ...clipOfRows(rows, framesPerCode), frames }),
    };
  }
  const given = state?.images[0]?.prefix;
  // One row must be left to draw; a request without any is refused.
  const kept = Math.min(rows.count, rows.height - 1);
  if (given !== undefined && given.codes.length > kept) {
    return { ...resumed, prefix: given };
  }
  return kept === 0 ? resumed : { ...resumed, prefix: wireGrid(rows, kept) };
}
