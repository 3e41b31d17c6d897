/**
 * The branch of a picture: its first rows are kept, the others regenerated.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { pictureOfCodes } from "../draw/draw_pictures.js";
import { draw } from "../draw/drawing.js";
import { comeDecoded, Previews } from "../draw/previews.js";
import { blobOf, pictureId } from "../logic/picture_files.js";
import { wireGrid } from "../logic/drawn_rows.js";

/**
 * @typedef {import("./coded.js").CodedPicture} CodedPicture
 * @typedef {import("./branch_form.js").Branch} Branch
 *
 * @typedef {object} BranchOptions
 * @property {AbortSignal} signal
 * @property {import("./variant.js").Variant} variant View of the progress.
 * @property {import("../shell/server_watch.js").Model | undefined} model
 * @property {import("../api/retry_policy.js").RetryPolicy["onWait"]} onWait
 * @property {() => Promise<void>} whenBack
 */

/** Alternatives per code that a branch requests if its basis has none. */
const RIVALS = 5;

/**
 * @param {CodedPicture} basis
 * @param {Branch} branch
 * @param {BranchOptions} options
 * @returns {Promise<CodedPicture>}
 */
export async function branch(basis, { row, begun = [], settings }, options) {
  const { signal, variant, model } = options;
  const { live } = variant;
  const { height: allRows, width: rowCodes } = basis.grid;
  const given = wireGrid(basis.grid, row).codes;
  if (begun.length > 0) given.push([...begun]);
  const wholeRows = begun.length % rowCodes === 0;
  if (given.length === allRows && wholeRows) {
    // No row is left to draw.
    const codes = Uint16Array.from(given.flat());
    const picture = await pictureOfCodes(
      settings,
      { ...basis.grid, codes },
      signal,
    );
    const whole = {
      ...picture,
      grid: { ...basis.grid, codes },
      givenRows: basis.grid.height,
    };
    variant.root.hidden = false;
    await variant.show(whole);
    return whole;
  }
  const previews = new Previews(signal);
  // Kept codes have the picture's size.
  const { height: _, width: __, ratio: ___, ...unsized } = settings;
  const body = {
    ...(wholeRows ? settings : unsized),
    ...(wholeRows && given.length > 0 && { prefix: { codes: given } }),
    ...(!wholeRows && { keep: { codes: keptCodes(given, basis.grid) } }),
    logprobs: basis.scores?.rivals ?? RIVALS,
    preview: comeDecoded(model?.image_area),
  };
  let started = false;
  const { completed, rows: [rows] } = await draw(body, options, {
    queued: () => {},
    started: ({ grid }) => {
      if (started) return;
      started = true;
      variant.begin(grid, settings);
      variant.root.hidden = false;
      // The given rows are shown at once.
      void live.showRows(basis.file, 0).then(() => {
        for (const [y, codes] of given.entries()) {
          live.addRow(y, codes);
        }
      });
    },
    row: (_, { index, codes, preview }, known) => {
      if (preview) return void live.showRows(blobOf(preview), index + 1);
      live.addRow(index, codes);
      void previews.offer(known, live);
    },
  });
  const [image] = completed.images;
  if (image === undefined || rows === undefined) {
    throw new Error("The server returned no picture.");
  }
  copyScores(basis, rows.scores, row);
  const { height, width, codes } = rows;
  /** @type {CodedPicture} */
  const drawn = {
    id: pictureId(),
    createdAt: Date.now(),
    title: settings.prompt,
    file: blobOf(image),
    grid: { height, width, codes },
    ...(rows.scores && { scores: rows.scores }),
    settings: { ...settings, seed: completed.seed },
    model: completed.model,
    givenRows: given.length,
    imageIndex: 0,
  };
  await variant.show(drawn);
  return drawn;
}

/**
 * Returns the kept codes, with null for those to draw.
 *
 * @param {readonly (readonly number[])[]} given Rows, of which the last may be
 *   incomplete.
 * @param {{ height: number, width: number }} size
 * @returns {(number | null)[][]}
 */
function keptCodes(given, { height, width }) {
  return Array.from(
    { length: height },
    (_, y) => Array.from({ length: width }, (_, x) => given[y]?.[x] ?? null),
  );
}

/**
 * Copies the logprobs of the given rows from the drawing that they come from.
 *
 * @param {CodedPicture} basis
 * @param {import("../shell/shell.js").Scores | undefined} scores Arrays
 *   to overwrite.
 * @param {number} rows
 */
function copyScores(basis, scores, rows) {
  const before = basis.scores;
  if (before === undefined || scores?.rivals !== before.rivals) return;
  const cells = rows * basis.grid.width;
  const listed = cells * before.rivals;
  scores.logprobs.set(before.logprobs.subarray(0, cells));
  scores.entropies.set(before.entropies.subarray(0, cells));
  scores.codes.set(before.codes.subarray(0, listed));
  scores.rivalLogprobs.set(before.rivalLogprobs.subarray(0, listed));
}
