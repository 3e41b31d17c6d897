/**
 * The canvas of the editor: the picture under its grid, selection and changes.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/**
 * @typedef {import("./editor_state.js").EditorState} EditorState
 * @typedef {import("./editor_state.js").Cell} Cell
 * @typedef {import("./grid_edit.js").Patch} Patch
 */

/** Approximate longer side of the canvas, in pixels. */
const SIDE = 720;

/** Minimum side of a cell, in pixels. */
const MIN_CELL = 8;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {EditorState} state
 * @param {CanvasImageSource | undefined} picture
 */
export function drawEditor(canvas, state, picture) {
  const { height, width } = state.grid;
  const cell = Math.max(MIN_CELL, Math.floor(SIDE / Math.max(height, width)));
  if (canvas.width !== width * cell || canvas.height !== height * cell) {
    canvas.width = width * cell;
    canvas.height = height * cell;
  }
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (picture !== undefined) {
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
  drawLines(context, state, cell);
  drawChanges(context, state, cell);
  if (state.source !== undefined) {
    outline(context, state.source, cell, [cell / 3, cell / 4]);
  }
  outline(context, state.patch, cell, []);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {EditorState} state
 * @param {{ clientX: number, clientY: number }} event
 * @returns {Cell}
 */
export function cellAt(canvas, { grid }, { clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return {
    row: Math.floor((clientY - box.top) / box.height * grid.height),
    column: Math.floor((clientX - box.left) / box.width * grid.width),
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {EditorState} state
 * @param {number} cell
 */
function drawLines(context, { grid: { height, width } }, cell) {
  context.beginPath();
  for (let x = 1; x < width; x++) {
    context.moveTo(x * cell + 0.5, 0);
    context.lineTo(x * cell + 0.5, height * cell);
  }
  for (let y = 1; y < height; y++) {
    context.moveTo(0, y * cell + 0.5);
    context.lineTo(width * cell, y * cell + 0.5);
  }
  context.lineWidth = 1;
  context.strokeStyle = "rgb(127 127 127 / 35%)";
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {EditorState} state
 * @param {number} cell
 */
function drawChanges(context, { grid, first }, cell) {
  const mark = cell / 4;
  grid.codes.forEach((code, i) => {
    if (code === first.codes[i]) return;
    const x = (i % grid.width) * cell;
    const y = Math.floor(i / grid.width) * cell;
    context.beginPath();
    context.moveTo(x + 1, y + 1);
    context.lineTo(x + 1 + mark, y + 1);
    context.lineTo(x + 1, y + 1 + mark);
    context.fillStyle = "#d9480f";
    context.fill();
  });
}

/**
 * Draws dark within light, which is visible on any picture.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Patch} patch
 * @param {number} cell
 * @param {number[]} dash
 */
function outline(context, { row, column, height, width }, cell, dash) {
  const box = [column * cell, row * cell, width * cell, height * cell];
  for (
    const [line, color] of /** @type {const} */ ([[5, "#fff"], [2.5, "#111"]])
  ) {
    context.lineWidth = line;
    context.strokeStyle = color;
    context.setLineDash(dash);
    const [x = 0, y = 0, w = 0, h = 0] = box;
    context.strokeRect(x + 1, y + 1, w - 2, h - 2);
  }
  context.setLineDash([]);
}
