/**
 * A picture that comes row by row.
 *
 * ```text
 * decoded rows     as they are, once the vision decoder has seen them
 * rows of codes    a tint a code, until then
 * nothing yet
 * ```
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { calmly } from "./calm.js";
import { element } from "./element.js";

/** Pixels a side of a code, as far as nobody has said otherwise. */
const PIXELS_PER_CODE = 8;

/** Pause between two paintings, in milliseconds: each takes time from drawing. */
const PAINT_MS = 250;

/** A canvas of one picture. */
export class PictureCanvas {
  canvas = element("canvas", { class: "picture", role: "img" });
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.canvas.getContext("2d")
  );
  #rows = 0;
  #columns = 0;
  /** Rows that are there as pixels. */
  #decoded = 0;
  /** @type {Map<number, readonly number[]>} Rows that are there as codes alone. */
  #tinted = new Map();
  /** Paints rows that came since the last time. */
  #paint = calmly(PAINT_MS, () => {
    for (const [index, codes] of this.#unpainted) this.#tint(index, codes);
    this.#unpainted.clear();
  });
  /** @type {Map<number, readonly number[]>} */
  #unpainted = new Map();

  /**
   * Empties it.
   *
   * @param {{ height: number, width: number }} size In codes.
   * @param {string} label What it will show.
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
   * A row of codes has come.
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
   * The first rows, decoded. What was decoded further stays.
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
   * A whole picture.
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
   * @param {number} height In pixels.
   * @param {number} width
   */
  #resize(height, width) {
    this.canvas.height = height;
    this.canvas.width = width;
    // The style keeps it as high as fits on the screen, and so wide.
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
 * A quiet colour that stands for a code.
 *
 * @param {number} code
 */
export function tintOf(code) {
  // Neighbours in the codebook have little in common, so neither have these.
  const mixed = Math.imul(code + 1, 0x9e3779b1) >>> 0;
  const hue = mixed % 360;
  const light = 42 + (mixed >>> 12) % 26;
  return `hsl(${hue} 18% ${light}%)`;
}
