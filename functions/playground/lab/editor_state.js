/**
 * What is done to a grid with a cursor, a patch and a brush. Knows no pixels.
 *
 * @module
 */

// @ts-check

import {
  cut,
  moved,
  painted,
  pasted,
  patchBetween,
  swapped,
} from "./grid_edit.js";
import { Undo } from "./undo.js";

/**
 * @typedef {import("./grid_edit.js").Grid} Grid
 * @typedef {import("./grid_edit.js").Patch} Patch
 * @typedef {{ row: number, column: number }} Cell
 * @typedef {"select" | "paint" | "pick"} Tool
 */

/** A grid under work. */
export class EditorState {
  #undo;
  /** @type {Cell} */
  #anchor = { row: 0, column: 0 };
  /** @type {Cell} */
  #cursor = { row: 0, column: 0 };
  /** @type {Patch | undefined} */
  #source;
  /** @type {Grid | undefined} */
  #piece;
  /** What strokes have painted since the last step that can be undone. */
  #stroke = false;
  /** The code that is painted with. */
  brush;

  /** @param {Grid} grid */
  constructor(grid) {
    this.first = grid;
    this.#undo = new Undo(grid);
    this.brush = grid.codes[0] ?? 0;
  }

  get grid() {
    return this.#undo.now;
  }

  get cursor() {
    return this.#cursor;
  }

  /** The cells that are chosen: one at least. */
  get patch() {
    return patchBetween(this.#anchor, this.#cursor);
  }

  /** What was copied, and from where. */
  get source() {
    return this.#source;
  }

  get canUndo() {
    return this.#undo.canUndo;
  }

  get canRedo() {
    return this.#undo.canRedo;
  }

  /** The code under the cursor. */
  get code() {
    const { row, column } = this.#cursor;
    return this.grid.codes[row * this.grid.width + column] ?? 0;
  }

  /**
   * Goes to a cell, or as near as there is one.
   *
   * @param {Cell} cell
   * @param {boolean} extend Whether the patch grows to it.
   */
  goTo({ row, column }, extend) {
    const { height, width } = this.grid;
    this.#cursor = {
      row: Math.min(Math.max(row, 0), height - 1),
      column: Math.min(Math.max(column, 0), width - 1),
    };
    if (!extend) this.#anchor = this.#cursor;
  }

  /** Takes the code under the cursor onto the brush. */
  pick() {
    this.brush = this.code;
  }

  /** Paints the patch. */
  fill() {
    this.#step(painted(this.grid, this.patch, this.brush));
  }

  /** Paints the cell under the cursor; cells of one stroke are undone at once. */
  paint() {
    const cell = { ...this.#cursor, height: 1, width: 1 };
    const next = painted(this.grid, cell, this.brush);
    if (this.#stroke) this.#undo.undo();
    this.#undo.do(next);
    this.#stroke = true;
  }

  /** The brush is lifted. */
  endStroke() {
    this.#stroke = false;
  }

  /** Remembers the patch. */
  copy() {
    this.#source = this.patch;
    this.#piece = cut(this.grid, this.patch);
  }

  /** What was copied, laid over at the patch. */
  paste() {
    if (this.#piece === undefined) return;
    this.#place(pasted(this.grid, this.#piece, this.patch));
  }

  /** What was copied goes here; the brush's code stays behind. */
  move() {
    if (this.#source === undefined) return;
    this.#place(moved(this.grid, this.#source, this.patch, this.brush));
    this.#source = undefined;
  }

  /** What was copied and what is here change places. */
  swap() {
    if (this.#source === undefined) return;
    this.#place(swapped(this.grid, this.#source, this.patch));
  }

  /** @param {Grid} grid All other codes, of this size. */
  replace(grid) {
    this.#step(grid);
  }

  undo() {
    this.endStroke();
    this.#undo.undo();
  }

  redo() {
    this.endStroke();
    this.#undo.redo();
  }

  /** @param {Grid} next With what was copied at the patch, which grows to it. */
  #place(next) {
    const { row, column } = this.patch;
    const { height = 1, width = 1 } = this.#piece ?? {};
    this.#step(next);
    this.goTo({ row, column }, false);
    this.goTo({ row: row + height - 1, column: column + width - 1 }, true);
  }

  /** @param {Grid} next */
  #step(next) {
    this.endStroke();
    this.#undo.do(next);
  }
}
