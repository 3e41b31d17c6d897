/**
 * The logprobs and entropies of a picture's codes, as arrays.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ code: number, logprob: number | null }} WireRival
 * @typedef {{ logprob: number | null, entropy: number, top: WireRival[] }} WireScore
 * @typedef {import("../shell/shell.js").Scores} Scores
 */

/**
 * @param {number} cells
 * @param {number} rivals
 * @returns {Scores} Arrays in which every cell is unknown.
 */
export function blankScores(cells, rivals) {
  return {
    logprobs: new Float32Array(cells).fill(NaN),
    entropies: new Float32Array(cells).fill(NaN),
    rivals,
    codes: new Uint16Array(cells * rivals),
    rivalLogprobs: new Float32Array(cells * rivals).fill(NaN),
  };
}

/**
 * Stores the scores of consecutive cells.
 *
 * @param {Scores} kept Arrays to overwrite.
 * @param {number} start Index of the first cell.
 * @param {readonly WireScore[]} scores
 */
export function storeScores(kept, start, scores) {
  for (const [i, { logprob, entropy, top }] of scores.entries()) {
    const cell = start + i;
    kept.logprobs[cell] = logprob ?? -Infinity;
    kept.entropies[cell] = entropy;
    for (const [rank, rival] of top.slice(0, kept.rivals).entries()) {
      kept.codes[cell * kept.rivals + rank] = rival.code;
      kept.rivalLogprobs[cell * kept.rivals + rank] = rival.logprob ??
        -Infinity;
    }
  }
}

/**
 * Converts the scores of the API, row by row.
 *
 * @param {readonly (readonly WireScore[])[]} rows
 * @returns {Scores}
 */
export function scoresOf(rows) {
  const cells = rows.flat();
  const scores = blankScores(cells.length, cells[0]?.top.length ?? 0);
  storeScores(scores, 0, cells);
  return scores;
}

/**
 * Returns the scores of the first cells.
 *
 * @param {Scores} scores
 * @param {number} cells
 * @returns {Scores}
 */
export function firstCells(scores, cells) {
  return cutScores(scores, 0, cells);
}

/**
 * Returns the scores of consecutive cells.
 *
 * @param {Scores} scores
 * @param {number} start Index of the first cell.
 * @param {number} count
 * @returns {Scores}
 */
export function cutScores(scores, start, count) {
  const { logprobs, entropies, rivals, codes, rivalLogprobs } = scores;
  const end = start + count;
  return {
    logprobs: logprobs.slice(start, end),
    entropies: entropies.slice(start, end),
    rivals,
    codes: codes.slice(start * rivals, end * rivals),
    rivalLogprobs: rivalLogprobs.slice(start * rivals, end * rivals),
  };
}
