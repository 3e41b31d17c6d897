/**
 * One of the pictures that are looked into.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { heatColor, largest } from "../logic/heat.js";
import { element } from "../parts/element.js";
import { PictureCanvas } from "../parts/picture_canvas.js";
import { CellCanvas } from "./cell_canvas.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {"picture" | "entropy" | "surprise"} MapName
 */

/** A picture with its cells, or one that is being drawn. */
export class Variant {
  cells = new CellCanvas();
  /** While it is drawn. */
  live = new PictureCanvas();
  #caption = element("figcaption", {});
  root = element(
    "figure",
    { class: "variant" },
    this.cells.canvas,
    this.live.canvas,
    this.#caption,
  );
  /** @type {Picture | undefined} */
  picture;

  /** @param {string} name For people. */
  constructor(name) {
    this.name = name;
    this.live.canvas.hidden = true;
    this.cells.canvas.setAttribute("role", "application");
    this.cells.canvas.setAttribute("aria-roledescription", "grid of codes");
  }

  /**
   * @param {Picture & { grid: NonNullable<Picture["grid"]> }} picture
   */
  async show(picture) {
    this.picture = picture;
    await this.cells.load(picture.file, picture.grid);
    this.#swap(false);
    this.#label(picture.title, picture.settings?.seed);
  }

  /**
   * Is drawn from now on.
   *
   * @param {{ height: number, width: number }} size
   * @param {import("../logic/settings.js").Settings} settings
   */
  begin(size, settings) {
    this.picture = undefined;
    this.live.start(size, settings.prompt);
    this.#swap(true);
    this.#label(settings.prompt, settings.seed);
  }

  /**
   * What lies over the picture.
   *
   * @param {MapName} name
   * @param {number} most Where the scale ends.
   */
  setMap(name, most) {
    this.cells.setMap(mapValues(this.picture, name), most);
  }

  /** @param {boolean} live */
  #swap(live) {
    this.live.canvas.hidden = !live;
    this.cells.canvas.hidden = live;
  }

  /**
   * @param {string} title
   * @param {number | undefined} seed
   */
  #label(title, seed) {
    const by = seed === undefined ? "" : ` · seed ${seed}`;
    this.#caption.textContent = `${this.name}: ${title}${by}`;
    this.cells.canvas.setAttribute("aria-label", `Cells of ${title}`);
  }
}

/**
 * Bits a cell; undefined where there is no map.
 *
 * @param {Picture | undefined} picture
 * @param {MapName} name
 * @returns {Float32Array | undefined}
 */
export function mapValues(picture, name) {
  const judgements = picture?.judgements;
  if (judgements === undefined || name === "picture") return undefined;
  return name === "entropy"
    ? judgements.entropies.map((nats) => nats / Math.LN2)
    : judgements.logprobs.map((nats) => -nats / Math.LN2);
}

/** A bar of the colours, from 0 to what they end at. */
export class Legend {
  #most = element("span");
  root = element(
    "div",
    { class: "legend", hidden: true },
    element("span", {}, "0"),
    element("span", { class: "ramp", "aria-hidden": "true" }),
    this.#most,
  );

  /** Colours it. */
  constructor() {
    const steps = Array.from({ length: 9 }, (_, i) => {
      return `rgb(${heatColor(i / 8).join(" ")})`;
    });
    const ramp = this.root.querySelector(".ramp");
    if (ramp instanceof HTMLElement) {
      ramp.style.background = `linear-gradient(90deg, ${steps.join(", ")})`;
    }
  }

  /**
   * @param {readonly (Picture | undefined)[]} pictures
   * @param {MapName} name
   * @returns {number} Where the scale ends, the same for all.
   */
  describe(pictures, name) {
    const most = Math.max(
      ...pictures.map((picture) => largest(mapValues(picture, name) ?? [])),
    );
    this.root.hidden = most === 0;
    this.#most.textContent = `${most.toFixed(1)} bits`;
    return most;
  }
}
