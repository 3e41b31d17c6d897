/**
 * Rows made visible while a drawing goes on.
 *
 * Small pictures come decoded, as often as that takes a tenth of the time.
 * Decoding the beginning of a large one again and again would take the machine
 * from the drawing itself, so those are asked for by the page, never two at a
 * time and with pauses.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";

/**
 * @typedef {import("../logic/drawn_rows.js").DrawnRows} DrawnRows
 * @typedef {import("../parts/picture_canvas.js").PictureCanvas} PictureCanvas
 */

/** In pixels; up to here each row may come decoded. */
const SMALL_AREA = 256 * 256;

/** Pauses are so many times as long as decoding took. */
const REST = 5;

/**
 * Whether rows should come decoded.
 *
 * @param {number | null | undefined} imageArea The model's, in pixels.
 */
export function comeDecoded(imageArea) {
  return (imageArea ?? 0) > 0 && (imageArea ?? 0) <= SMALL_AREA;
}

/** Asks for the rows so far, now and then. */
export class Previews {
  #signal;
  #busy = false;
  #notBefore = 0;

  /** @param {AbortSignal} signal Ends it. */
  constructor(signal) {
    this.#signal = signal;
  }

  /**
   * There are more rows than before.
   *
   * @param {DrawnRows} rows
   * @param {PictureCanvas} canvas
   */
  async offer(rows, canvas) {
    const begun = performance.now();
    if (this.#busy || begun < this.#notBefore || this.#signal.aborted) return;
    this.#busy = true;
    try {
      const count = rows.count;
      const answer = await post("/v1/detokenize", { grid: rows.grid }, {
        accept: "image/png",
        signal: this.#signal,
      });
      await canvas.showRows(await answer.blob(), count);
    } catch {
      // A server without this function, or a full one: tints stay.
    } finally {
      const ended = performance.now();
      this.#notBefore = ended + REST * (ended - begun);
      this.#busy = false;
    }
  }
}
