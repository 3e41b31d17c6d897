/**
 * The comparison of a picture with its reconstruction.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { element } from "../parts/element.js";
import { Field } from "../parts/field.js";
import { describePsnr, difference } from "./difference.js";

/** Initial amplification of differences. */
const GAIN = 4;

/** The original, the reconstruction and their difference, side by side. */
export class Comparison {
  #original = pictureCanvas("Original");
  #decoded = pictureCanvas("Reconstruction");
  #difference = pictureCanvas("Difference");
  #facts = element("p", { role: "status", class: "facts" });
  #gain = element("input", {
    type: "range",
    min: "1",
    max: "16",
    value: String(GAIN),
    oninput: () => this.#compare(),
  });
  root = element(
    "div",
    { class: "stack" },
    element(
      "div",
      { class: "three" },
      figure(this.#original, "Original, scaled"),
      figure(this.#decoded, "Reconstruction"),
      figure(this.#difference, "Difference"),
    ),
    this.#facts,
    new Field("Amplify the difference", this.#gain).root,
  );

  /**
   * @param {CanvasImageSource} original
   * @param {ImageBitmap} decoded Reconstruction; its size is used for all
   *   three.
   */
  show(original, decoded) {
    const { height, width } = decoded;
    for (const canvas of [this.#original, this.#decoded, this.#difference]) {
      Object.assign(canvas, { height, width });
    }
    const context = contextOf(this.#original);
    context.imageSmoothingQuality = "high";
    // Transparency is flattened onto white, as on the server.
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(original, 0, 0, width, height);
    contextOf(this.#decoded).drawImage(decoded, 0, 0);
    this.#compare();
  }

  #compare() {
    const { height, width } = this.#decoded;
    const pixelsOf = (/** @type {HTMLCanvasElement} */ canvas) =>
      contextOf(canvas).getImageData(0, 0, width, height).data;
    const gain = Number(this.#gain.value);
    const { psnr, worst, pixels } = difference(
      pixelsOf(this.#original),
      pixelsOf(this.#decoded),
      gain,
    );
    const image = new ImageData(pixels, width, height);
    contextOf(this.#difference).putImageData(image, 0, 0);
    this.#gain.setAttribute("aria-valuetext", `${gain} times`);
    const times = gain === 1 ? "" : `, amplified ${gain} times`;
    this.#facts.textContent = psnr === Infinity
      ? `${height} × ${width} pixels: no difference`
      : `${height} × ${width} pixels: ${describePsnr(psnr)}, ` +
        `at most ${worst} of 255${times}`;
  }
}

/** @param {string} label */
function pictureCanvas(label) {
  return element("canvas", {
    width: 8,
    height: 8,
    role: "img",
    "aria-label": label,
  });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} caption
 */
function figure(canvas, caption) {
  return element("figure", {}, canvas, element("figcaption", {}, caption));
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("Cannot show pictures: no canvas");
  return context;
}
