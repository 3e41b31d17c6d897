/**
 * The previews of a drawing in progress.
 *
 * Small pictures arrive decoded, as often as that takes a tenth of the time.
 * Decoding the beginning of a large one repeatedly would slow down the drawing
 * itself, so the page requests those, one at a time and with pauses.
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

/** Largest area whose rows arrive decoded, in pixels. */
const SMALL_AREA = 256 * 256;

/** Ratio of a pause to the decoding before it. */
const REST = 5;

/**
 * Returns true if rows should arrive decoded.
 *
 * @param {number | null | undefined} imageArea Image area of the model, in
 *   pixels.
 */
export function comeDecoded(imageArea) {
  return (imageArea ?? 0) > 0 && (imageArea ?? 0) <= SMALL_AREA;
}

/** Requests previews of the rows so far, with pauses. */
export class Previews {
  #signal;
  #busy = false;
  #notBefore = 0;

  /** @param {AbortSignal} signal Ends the previews. */
  constructor(signal) {
    this.#signal = signal;
  }

  /**
   * Requests a preview of new rows, unless one is pending.
   *
   * @param {DrawnRows} rows
   * @param {PictureCanvas} canvas
   */
  async offer(rows, canvas) {
    await this.attempt(async () => {
      const count = rows.count;
      const answer = await post("/v1/detokenize", { grid: rows.grid }, {
        accept: "image/png",
        signal: this.#signal,
      });
      await canvas.showRows(await answer.blob(), count);
    });
  }

  /**
   * Decodes something, unless another decoding is pending or just over.
   *
   * @param {() => Promise<void>} decode
   */
  async attempt(decode) {
    const begun = performance.now();
    if (this.#busy || begun < this.#notBefore || this.#signal.aborted) return;
    this.#busy = true;
    try {
      await decode();
    } catch {
      // If the server is full or lacks this function, the tints remain.
    } finally {
      const ended = performance.now();
      this.#notBefore = ended + REST * (ended - begun);
      this.#busy = false;
    }
  }
}
