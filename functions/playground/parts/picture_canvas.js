/**
 * The canvas of a picture that arrives row by row.
 *
 * ```text
 * decoded rows     pixels of the vision decoder
 * rows of codes    a tint per code, until then
 * rows to come     empty
 * ```
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { throttle } from "./throttle.js";
import { element } from "./element.js";

/** Pixels per side of a code, by default. */
const PIXELS_PER_CODE = 8;

/** Interval between paints, in milliseconds. */
const PAINT_MS = 250;

/** The canvas of one picture. */
export class PictureCanvas {
  canvas = element("canvas", { class: "picture", role: "img" });
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.canvas.getContext("2d")
  );
  #rows = 0;
  #columns = 0;
  /** Count of rows that are decoded. */
  #decoded = 0;
  /**
   * @type {Map<number, readonly number[]>} Rows that are known as codes alone.
   */
  #tinted = new Map();
  /** Paints the rows that arrived since the last paint. */
  #paint = throttle(PAINT_MS, () => {
    for (const [index, codes] of this.#unpainted) this.#tint(index, codes);
    this.#unpainted.clear();
  });
  /** @type {Map<number, readonly number[]>} */
  #unpainted = new Map();

  /**
   * Clears the canvas for a new picture.
   *
   * @param {{ height: number, width: number }} size Size in codes.
   * @param {string} label Description of the picture.
   */
  start({ height, width }, label) {
    this.#rows = height;
    this.#columns = width;
    this.#decoded = 0;
    this.#tinted.clear();
    this.#unpainted.clear();
    this.#resize(height * PIXELS_PER_CODE, width * PIXELS_PER_CODE);
    this.canvas.setAttribute("aria-label", label);
  }

  /**
   * Adds a row of codes.
   *
   * @param {number} index
   * @param {readonly number[]} codes
   */
  addRow(index, codes) {
    if (index < this.#decoded) return;
    this.#tinted.set(index, codes);
    this.#unpainted.set(index, codes);
    this.#paint();
  }

  /**
   * Shows the first rows decoded. Later rows that are decoded stay.
   *
   * @param {Blob} file
   * @param {number} rows
   */
  async showRows(file, rows) {
    const bitmap = await createImageBitmap(file);
    if (rows < this.#decoded || this.#rows === 0) return bitmap.close();
    this.#decoded = rows;
    const scale = bitmap.width / this.#columns;
    const height = Math.round(this.#rows * scale);
    if (this.canvas.width !== bitmap.width || this.canvas.height !== height) {
      this.#resize(height, bitmap.width);
    }
    this.#context.drawImage(bitmap, 0, 0);
    bitmap.close();
    for (const [index, codes] of this.#tinted) {
      if (index < rows) {
        this.#tinted.delete(index);
        this.#unpainted.delete(index);
      } else this.#tint(index, codes);
    }
  }

  /**
   * Shows a whole picture.
   *
   * @param {Blob} file
   * @param {string} label
   */
  async show(file, label) {
    const bitmap = await createImageBitmap(file);
    this.#rows = this.#columns = 0;
    this.#tinted.clear();
    this.#unpainted.clear();
    this.#resize(bitmap.height, bitmap.width);
    this.#context.drawImage(bitmap, 0, 0);
    this.canvas.setAttribute("aria-label", label);
    bitmap.close();
  }

  /**
   * @param {number} height Height in pixels.
   * @param {number} width
   */
  #resize(height, width) {
    this.canvas.height = height;
    this.canvas.width = width;
    // The style sheet fits the height to the screen and derives the width.
    this.canvas.style.setProperty("--ratio", String(width / height));
  }

  /**
   * @param {number} index
   * @param {readonly number[]} codes
   */
  #tint(index, codes) {
    const side = this.canvas.width / this.#columns;
    for (const [x, code] of codes.entries()) {
      this.#context.fillStyle = tintOf(code);
      this.#context.fillRect(x * side, index * side, side, side);
    }
  }
}

/**
 * Returns a muted color for a code.
 *
 * @param {number} code
 */
export function tintOf(code) {
  // Neighbors in the codebook are unrelated, and so are their colors.
  const mixed = Math.imul(code + 1, 0x9e3779b1) >>> 0;
  const hue = mixed % 360;
  const light = 42 + (mixed >>> 12) % 26;
  return `hsl(${hue} 18% ${light}%)`;
}
