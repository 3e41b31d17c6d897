/**
 * The canvas of a picture's cells: the picture up to a moment of its drawing, a
 * map over it, and a marked cell.
 *
 * A frame takes a few `drawImage` calls for any number of cells: whole rows of
 * the decoded picture, then the part of the current row.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { heatPixels } from "../logic/heat.js";
import { element } from "../parts/element.js";

/**
 * @typedef {import("../logic/cells.js").Cell} Cell
 * @typedef {{ height: number, width: number }} Size
 */

/** Minimum side of the canvas in pixels, so that lines stay thin. */
const MIN_SIDE = 720;

/** Opacity of a map over the picture. */
const MAP_OPACITY = 0.82;

/** The canvas of cells. */
export class CellCanvas {
  canvas = element("canvas", { class: "cells", tabIndex: 0 });
  /** Size in cells. */
  size = { height: 1, width: 1 };
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.canvas.getContext("2d")
  );
  /** @type {ImageBitmap | undefined} */
  #bitmap;
  /** @type {OffscreenCanvas | undefined} One pixel a cell. */
  #map;
  /** Count of visible cells, in the order of drawing. */
  #shown = 0;
  /** @type {Cell | undefined} */
  #marked;
  /** @type {number | undefined} */
  #cut;
  #due = false;

  /**
   * @param {Blob} file
   * @param {Size} size Size in cells.
   */
  async load(file, { height, width }) {
    const bitmap = await createImageBitmap(file);
    this.#bitmap?.close();
    this.#bitmap = bitmap;
    this.size = { height, width };
    this.#shown = height * width;
    const scale = Math.max(1, Math.ceil(MIN_SIDE / bitmap.width));
    this.canvas.width = bitmap.width * scale;
    this.canvas.height = bitmap.height * scale;
    this.#map = undefined;
    this.#cut = undefined;
    this.draw();
  }

  /**
   * Overlays a map; undefined removes it.
   *
   * @param {ArrayLike<number> | undefined} values Values, one per cell.
   * @param {number} most Upper end of the scale.
   */
  setMap(values, most) {
    const { height, width } = this.size;
    this.#map = undefined;
    if (values !== undefined) {
      this.#map = new OffscreenCanvas(width, height);
      this.#map.getContext("2d")?.putImageData(
        new ImageData(heatPixels(values, most), width, height),
        0,
        0,
      );
    }
    this.#request();
  }

  /** @param {number} cells Count of visible cells. */
  setShown(cells) {
    this.#shown = cells;
    this.#request();
  }

  /** @param {Cell | undefined} cell Cell to mark. */
  setMarked(cell) {
    this.#marked = cell;
    this.#request();
  }

  /** @param {number | undefined} row Row above which a line is drawn. */
  setCut(row) {
    this.#cut = row;
    this.#request();
  }

  /**
   * Returns the cell under a pointer.
   *
   * @param {MouseEvent} event
   * @returns {Cell}
   */
  cellAt({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const { height, width } = this.size;
    const x = Math.floor((clientX - box.left) / box.width * width);
    const y = Math.floor((clientY - box.top) / box.height * height);
    return {
      y: Math.min(height - 1, Math.max(0, y)),
      x: Math.min(width - 1, Math.max(0, x)),
    };
  }

  /** Schedules one frame for all pending changes. */
  #request() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => this.draw());
  }

  /** Draws immediately. */
  draw() {
    this.#due = false;
    const context = this.#context;
    const { height, width } = this.canvas;
    context.clearRect(0, 0, width, height);
    if (this.#bitmap !== undefined) {
      context.imageSmoothingEnabled = true;
      this.#drawShown(this.#bitmap);
    }
    if (this.#map !== undefined) {
      context.imageSmoothingEnabled = false;
      context.globalAlpha = MAP_OPACITY;
      this.#drawShown(this.#map);
      context.globalAlpha = 1;
    }
    if (this.#cut !== undefined) this.#drawCut(this.#cut);
    if (this.#marked !== undefined) this.#drawMark(this.#marked);
  }

  /** @param {ImageBitmap | OffscreenCanvas} image */
  #drawShown(image) {
    const { height, width } = this.size;
    const rows = Math.floor(this.#shown / width);
    this.#drawPart(image, 0, 0, rows, width);
    if (rows < height) this.#drawPart(image, rows, 0, 1, this.#shown % width);
  }

  /**
   * @param {ImageBitmap | OffscreenCanvas} image
   * @param {number} y Top in cells; the other numbers are in cells too.
   * @param {number} x
   * @param {number} height
   * @param {number} width
   */
  #drawPart(image, y, x, height, width) {
    if (height === 0 || width === 0) return;
    const fromY = image.height / this.size.height;
    const fromX = image.width / this.size.width;
    const toY = this.canvas.height / this.size.height;
    const toX = this.canvas.width / this.size.width;
    this.#context.drawImage(
      image,
      x * fromX,
      y * fromY,
      width * fromX,
      height * fromY,
      x * toX,
      y * toY,
      width * toX,
      height * toY,
    );
  }

  /** @param {number} row */
  #drawCut(row) {
    const y = row * this.canvas.height / this.size.height;
    const context = this.#context;
    for (const [color, thickness] of LINES) {
      context.strokeStyle = color;
      context.lineWidth = thickness;
      context.setLineDash([12, 8]);
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(this.canvas.width, y);
      context.stroke();
    }
    context.setLineDash([]);
  }

  /** @param {Cell} cell */
  #drawMark({ y, x }) {
    const height = this.canvas.height / this.size.height;
    const width = this.canvas.width / this.size.width;
    for (const [color, thickness] of LINES) {
      this.#context.strokeStyle = color;
      this.#context.lineWidth = thickness;
      this.#context.strokeRect(x * width, y * height, width, height);
    }
  }
}

/** Strokes of the mark, light within dark, visible on any picture. */
const LINES = /** @type {const} */ ([["#000", 6], ["#fff", 3]]);
