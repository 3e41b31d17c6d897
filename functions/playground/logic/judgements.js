/**
 * The logprobs and entropies of a picture's codes, as arrays.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ code: number, logprob: number | null }} WireRival
 * @typedef {{ logprob: number | null, entropy: number, top: WireRival[] }} WireJudgement
 * @typedef {import("../shell/shell.js").Judgements} Judgements
 */

/**
 * @param {number} cells
 * @param {number} rivals
 * @returns {Judgements} Arrays in which every cell is unknown.
 */
export function blankJudgements(cells, rivals) {
  return {
    logprobs: new Float32Array(cells).fill(NaN),
    entropies: new Float32Array(cells).fill(NaN),
    rivals,
    codes: new Uint16Array(cells * rivals),
    rivalLogprobs: new Float32Array(cells * rivals).fill(NaN),
  };
}

/**
 * Stores the judgements of consecutive cells.
 *
 * @param {Judgements} kept Arrays to overwrite.
 * @param {number} start Index of the first cell.
 * @param {readonly WireJudgement[]} judged
 */
export function noteCells(kept, start, judged) {
  for (const [i, { logprob, entropy, top }] of judged.entries()) {
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
 * Converts the judgements of the API, row by row.
 *
 * @param {readonly (readonly WireJudgement[])[]} rows
 * @returns {Judgements}
 */
export function judgementsOf(rows) {
  const cells = rows.flat();
  const judgements = blankJudgements(cells.length, cells[0]?.top.length ?? 0);
  noteCells(judgements, 0, cells);
  return judgements;
}

/**
 * Returns the judgements of the first cells.
 *
 * @param {Judgements} judgements
 * @param {number} cells
 * @returns {Judgements}
 */
export function firstCells(judgements, cells) {
  const { logprobs, entropies, rivals, codes, rivalLogprobs } = judgements;
  return {
    logprobs: logprobs.slice(0, cells),
    entropies: entropies.slice(0, cells),
    rivals,
    codes: codes.slice(0, cells * rivals),
    rivalLogprobs: rivalLogprobs.slice(0, cells * rivals),
  };
}
