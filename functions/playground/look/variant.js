/**
 * The variant: one of the pictures in the Look view.
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

/** A picture with its cells, or one in progress. */
export class Variant {
  cells = new CellCanvas();
  /** Canvas of a picture in progress. */
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

  /** @param {string} name Name for display. */
  constructor(name) {
    this.name = name;
    this.live.canvas.hidden = true;
    this.cells.canvas.setAttribute("role", "application");
    this.cells.canvas.setAttribute("aria-roledescription", "grid of codes");
  }

  /** @param {Picture & { grid: NonNullable<Picture["grid"]> }} picture */
  async show(picture) {
    this.picture = picture;
    await this.cells.load(picture.file, picture.grid);
    this.#swap(false);
    this.#label(picture.title, picture.settings?.seed);
  }

  /**
   * Shows a drawing in progress.
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
   * Selects the map over the picture.
   *
   * @param {MapName} name
   * @param {number} most Upper end of the scale.
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
 * Returns bits per cell; undefined if there is no map.
 *
 * @param {Picture | undefined} picture
 * @param {MapName} name
 * @returns {Float32Array | undefined}
 */
export function mapValues(picture, name) {
  const scores = picture?.scores;
  if (scores === undefined || name === "picture") return undefined;
  return name === "entropy"
    ? scores.entropies.map((nats) => nats / Math.LN2)
    : scores.logprobs.map((nats) => -nats / Math.LN2);
}

/** The color bar of a map, from 0 to the end of its scale. */
export class Legend {
  #most = element("span");
  root = element(
    "div",
    { class: "legend", hidden: true },
    element("span", {}, "0"),
    element("span", { class: "ramp", "aria-hidden": "true" }),
    this.#most,
  );

  /** Creates the bar with its colors. */
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
   * @returns {number} Upper end of the scale, shared by all.
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

/** Maps by their names, with their titles. */
const MAPS = /** @type {const} */ ([
  ["picture", "Picture"],
  ["entropy", "Entropy"],
  ["surprise", "Surprisal"],
]);

/**
 * Creates the buttons that select a map.
 *
 * @param {(name: MapName) => void} choose
 * @param {Legend} legend
 */
export function mapButtons(choose, legend) {
  return element(
    "div",
    { class: "actions maps", role: "group", "aria-label": "Displayed values" },
    ...MAPS.map(([name, title]) =>
      element("button", {
        type: "button",
        class: "small",
        value: name,
        "aria-pressed": String(name === "picture"),
        disabled: name !== "picture",
        onclick: () => choose(name),
      }, title)
    ),
    legend.root,
  );
}
