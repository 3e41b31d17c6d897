/**
 * The state of the editor: a grid, a cursor, a patch and a brush, without
 * pixels.
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

/** The state of a grid that is being edited. */
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
  /** True if the stroke has painted since the last undo step. */
  #stroke = false;
  /** Code of the brush. */
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

  /** Selected cells, at least one. */
  get patch() {
    return patchBetween(this.#anchor, this.#cursor);
  }

  /** Patch that was copied. */
  get source() {
    return this.#source;
  }

  get canUndo() {
    return this.#undo.canUndo;
  }

  get canRedo() {
    return this.#undo.canRedo;
  }

  /** Code under the cursor. */
  get code() {
    const { row, column } = this.#cursor;
    return this.grid.codes[row * this.grid.width + column] ?? 0;
  }

  /**
   * Moves the cursor to a cell, or the nearest one in the grid.
   *
   * @param {Cell} cell
   * @param {boolean} extend True to extend the patch to the cell.
   */
  goTo({ row, column }, extend) {
    const { height, width } = this.grid;
    this.#cursor = {
      row: Math.min(Math.max(row, 0), height - 1),
      column: Math.min(Math.max(column, 0), width - 1),
    };
    if (!extend) this.#anchor = this.#cursor;
  }

  /** Sets the brush to the code under the cursor. */
  pick() {
    this.brush = this.code;
  }

  /** Paints the patch. */
  fill() {
    this.#step(painted(this.grid, this.patch, this.brush));
  }

  /** Paints the cell under the cursor; a stroke is one undo step. */
  paint() {
    const cell = { ...this.#cursor, height: 1, width: 1 };
    const next = painted(this.grid, cell, this.brush);
    if (this.#stroke) this.#undo.undo();
    this.#undo.do(next);
    this.#stroke = true;
  }

  /** Ends the stroke. */
  endStroke() {
    this.#stroke = false;
  }

  /** Copies the patch. */
  copy() {
    this.#source = this.patch;
    this.#piece = cut(this.grid, this.patch);
  }

  /** Pastes the copied codes at the patch. */
  paste() {
    if (this.#piece === undefined) return;
    this.#place(pasted(this.grid, this.#piece, this.patch));
  }

  /** Moves the copied codes here; the brush's code replaces them. */
  move() {
    if (this.#source === undefined) return;
    this.#place(moved(this.grid, this.#source, this.patch, this.brush));
    this.#source = undefined;
  }

  /** Swaps the copied codes with those at the patch. */
  swap() {
    if (this.#source === undefined) return;
    this.#place(swapped(this.grid, this.#source, this.patch));
  }

  /** @param {Grid} grid Replacement of the same size. */
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

  /**
   * @param {Grid} next Grid with the copied codes at the patch, which takes
   * their size.
   */
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
