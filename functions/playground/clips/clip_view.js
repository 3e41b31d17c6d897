/**
 * The view of a clip: it plays, also while it is drawn.
 *
 * ```text
 * decoded frames     pixels of the vision decoder
 * frames of codes    a tint per code, until then
 * frames to come     out of the slider's range
 * ```
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { framesOfApng } from "../logic/apng.js";
import { element } from "../parts/element.js";
import { FrameControl } from "../parts/frame_control.js";
import { tintOf } from "../parts/picture_canvas.js";

/** @typedef {import("../logic/drawn_rows.js").DrawnRows} DrawnRows */

/** Pixels per side of a code before any frame is decoded. */
const PIXELS_PER_CODE = 8;

/** Opacity of the previous frame as an onion skin. */
const ONION = 0.5;

/** A canvas with the control of its frames. */
export class ClipView {
  canvas = element("canvas", { class: "picture", role: "img" });
  #context = /** @type {CanvasRenderingContext2D} */ (
    this.canvas.getContext("2d")
  );
  #control = new FrameControl(() => this.#paint());
  #onion = element("input", {
    type: "checkbox",
    onchange: () => this.#paint(),
  });
  controls = element(
    "div",
    { class: "clip-controls" },
    this.#control.root,
    element("label", { class: "check" }, this.#onion, "Onion skin"),
  );
  /** Decoded frames of pixels. @type {(ImageBitmap | undefined)[]} */
  #bitmaps = [];
  /** Rows of a clip in progress. @type {DrawnRows | undefined} */
  #rows;
  #framesPerCode = 1;
  #label = "";
  /** Count of clips so far; frames of an earlier one are late. */
  #generation = 0;

  /** Index of the frame that is shown. */
  get index() {
    return this.#control.index;
  }

  /**
   * Shows a clip in progress.
   *
   * @param {DrawnRows} rows Rows that grow.
   * @param {{ framesPerCode: number, fps: number, label: string }} options
   */
  begin(rows, { framesPerCode, fps, label }) {
    this.#forget();
    this.#rows = rows;
    this.#framesPerCode = framesPerCode;
    this.#label = label;
    this.#resize({
      height: rows.frameHeight * PIXELS_PER_CODE,
      width: rows.width * PIXELS_PER_CODE,
    });
    this.#control.reset(1, fps);
    this.advance();
  }

  /**
   * Goes on with the rows of a clip that was interrupted.
   *
   * @param {DrawnRows} rows Rows of its first frames.
   */
  resume(rows) {
    this.#rows = rows;
    this.advance();
  }

  /** Shows rows that have arrived, and frames that are complete. */
  advance() {
    if (this.#rows === undefined) return;
    const { count, frameHeight } = this.#rows;
    const whole = this.#rows.frames * this.#framesPerCode;
    const begun = Math.ceil(count / frameHeight) * this.#framesPerCode;
    this.#control.extend(Math.max(1, begun), whole);
    if (!this.#control.moved) this.#control.autoplay();
    if (this.#control.playing) return;
    // The frame in progress stays in view until the user chooses another.
    if (this.#control.moved) this.#paint();
    else this.#control.show(Math.max(0, begun - 1));
  }

  /**
   * Shows decoded frames in place of their codes.
   *
   * @param {number} first Index of the first frame of pixels.
   * @param {readonly Blob[]} files
   */
  async showFrames(first, files) {
    const generation = this.#generation;
    const bitmaps = await Promise.all(
      files.map((file) => createImageBitmap(file)),
    );
    if (this.#generation !== generation) return;
    for (const [i, bitmap] of bitmaps.entries()) {
      this.#bitmaps[first + i]?.close();
      this.#bitmaps[first + i] = bitmap;
    }
    this.#paint();
  }

  /** Returns the frames of codes that are complete and not decoded. */
  get undecoded() {
    const whole = this.#rows?.frames ?? 0;
    return Array.from({ length: whole }, (_, frame) => frame)
      .filter((frame) =>
        this.#bitmaps[frame * this.#framesPerCode] === undefined
      );
  }

  /**
   * Shows a whole clip. One that was in progress keeps its place.
   *
   * @param {Blob} file APNG of whole frames.
   * @param {string} label
   */
  async show(file, label) {
    const frames = framesOfApng(new Uint8Array(await file.arrayBuffer()));
    const bitmaps = await Promise.all(
      frames.map(({ png }) =>
        createImageBitmap(new Blob([png], { type: "image/png" }))
      ),
    );
    const drawn = this.#rows !== undefined;
    this.#forget();
    this.#bitmaps = bitmaps;
    this.#label = label;
    const [first] = bitmaps;
    if (first !== undefined) this.#resize(first);
    if (drawn) this.#control.extend(frames.length);
    else this.#control.reset(frames.length, 1000 / (frames[0]?.ms || 125));
    if (!this.#control.moved) this.#control.autoplay();
    this.#paint();
  }

  /** Stops at the current frame. */
  pause() {
    this.#control.pause();
  }

  #forget() {
    this.#generation++;
    for (const bitmap of this.#bitmaps) bitmap?.close();
    this.#bitmaps = [];
    this.#rows = undefined;
  }

  /** @param {{ height: number, width: number }} size */
  #resize({ height, width }) {
    this.canvas.height = height;
    this.canvas.width = width;
    // The style sheet fits the height to the screen and derives the width.
    this.canvas.style.setProperty("--ratio", String(width / height));
  }

  #paint() {
    const { index } = this;
    const bitmap = this.#bitmaps[index];
    if (bitmap && bitmap.width !== this.canvas.width) this.#resize(bitmap);
    this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.#paintFrame(index);
    if (this.#onion.checked && index > 0) {
      this.#context.globalAlpha = ONION;
      this.#paintFrame(index - 1);
      this.#context.globalAlpha = 1;
    }
    const label = `${this.#label}, frame ${index + 1}`;
    this.canvas.setAttribute("aria-label", label);
  }

  /** @param {number} index */
  #paintFrame(index) {
    const bitmap = this.#bitmaps[index];
    const { height, width } = this.canvas;
    if (bitmap !== undefined) {
      return this.#context.drawImage(bitmap, 0, 0, width, height);
    }
    const rows = this.#rows;
    if (rows === undefined) return;
    const first = Math.floor(index / this.#framesPerCode) * rows.frameHeight;
    const side = width / rows.width;
    const known = Math.min(rows.frameHeight, rows.count - first);
    for (let y = 0; y < known; y++) {
      for (let x = 0; x < rows.width; x++) {
        this.#context.fillStyle = tintOf(
          rows.codes[(first + y) * rows.width + x] ?? 0,
        );
        this.#context.fillRect(x * side, y * side, side, side);
      }
    }
  }
}
