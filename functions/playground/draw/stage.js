/**
 * The stage of a drawing: its pictures, its progress and the time left.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { secondsText } from "../logic/quantities.js";
import { TimeLeft } from "../logic/time_left.js";
import { throttle } from "../parts/throttle.js";
import { element } from "../parts/element.js";
import { PictureCanvas } from "../parts/picture_canvas.js";

/**
 * @typedef {object} StageView
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} [controls]
 * @property {(file: Blob, title: string) => Promise<void>} show
 * @property {() => void} [pause]
 */

/** Interval between updates of the time left, in milliseconds. */
const TICK_MS = 500;

/** Shortest interval between two announcements, in milliseconds. */
const ANNOUNCE_MS = 250;

/** Delay until a wait is shown as one, in milliseconds. */
const WAIT_MS = 500;

/** The pictures of one request. */
export class Stage {
  #frames = element(
    "div",
    { class: "frames" },
    element(
      "p",
      { class: "empty quiet" },
      "No picture yet. Choose an example, or enter a prompt.",
    ),
  );
  #bar = element("progress", {
    max: 1,
    value: 0,
    "aria-label": "Generated rows",
  });
  #pace = element("p", { class: "pace quiet" });
  #doing = element(
    "div",
    { class: "doing", hidden: true },
    this.#bar,
    this.#pace,
  );
  root = element("div", { class: "stage" }, this.#frames, this.#doing);
  /** @type {readonly PictureCanvas[]} */
  canvases = [];
  /** Canvases, or views of clips. @type {readonly StageView[]} */
  views = [];
  /** @type {TimeLeft | undefined} */
  #time;
  #rows = 0;
  #seed = 0;
  #queuedAt = 0;
  #announceThrottled = throttle(ANNOUNCE_MS, () => this.#update());
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} text Reason of the wait before the first row. */
  wait(text) {
    if (this.#doing.hidden) this.#queuedAt = performance.now();
    this.#doing.hidden = false;
    this.#bar.value = 0;
    this.#pace.textContent = text;
    clearTimeout(this.#timer);
    // An animated bar takes time from the drawing; most begin at once.
    this.#timer = setTimeout(() => this.#bar.removeAttribute("value"), WAIT_MS);
  }

  /**
   * Shows a drawing that begins or resumes.
   *
   * @param {{ seed: number, n: number, grid: { height: number, width: number } }} started
   * @param {readonly import("../logic/drawn_rows.js").DrawnRows[]} rows
   * @param {string} prompt
   */
  begin({ seed, n, grid }, rows, prompt) {
    const resumed = this.#time !== undefined && this.canvases.length === n &&
      rows.some(({ count }) => count > 0);
    if (!resumed) {
      this.show(n).forEach((canvas, i) =>
        canvas.start(grid, n === 1 ? prompt : `${prompt}, picture ${i + 1}`)
      );
      rows.forEach((known, i) => this.#addKnown(known, this.canvases[i]));
    }
    this.count(seed, rows);
  }

  /**
   * Counts the rows of a drawing that begins or resumes.
   *
   * @param {number} seed
   * @param {readonly import("../logic/drawn_rows.js").DrawnRows[]} rows
   */
  count(seed, rows) {
    this.#seed = seed;
    this.#rows = rows.reduce(
      (sum, { height, count }) => sum + height - count,
      0,
    );
    this.#time = new TimeLeft(this.#rows, performance.now());
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#update(), TICK_MS);
    this.#doing.hidden = false;
    this.#update();
  }

  /**
   * @param {import("../logic/drawn_rows.js").DrawnRows} rows Given
   *   rows.
   * @param {PictureCanvas | undefined} canvas
   */
  #addKnown({ width, count, codes }, canvas) {
    for (let y = 0; y < count; y++) {
      canvas?.addRow(y, [...codes.subarray(y * width, (y + 1) * width)]);
    }
  }

  /** Pauses the progress: the time left is unknown during a wait. */
  pause() {
    if (this.#time === undefined) return;
    clearInterval(this.#timer);
    this.#pace.textContent =
      `Row ${this.#time.rows} of ${this.#rows} · waiting · seed ${this.#seed}`;
  }

  /** Counts a row. */
  mark() {
    this.#time?.mark(performance.now());
    this.#announceThrottled();
  }

  /** Ends the drawing, after success or failure. */
  end() {
    clearInterval(this.#timer);
    this.#time = undefined;
    this.#doing.hidden = true;
  }

  /**
   * Creates empty canvases.
   *
   * @param {number} n
   */
  show(n) {
    this.canvases = Array.from({ length: n }, () => new PictureCanvas());
    this.place(this.canvases);
    return this.canvases;
  }

  /**
   * Replaces what is on the stage.
   *
   * @param {readonly StageView[]} views
   */
  place(views) {
    this.pauseClips();
    this.views = views;
    this.#frames.replaceChildren(
      ...views.map(({ canvas, controls }) =>
        element("figure", {}, canvas, controls)
      ),
    );
    this.#frames.dataset["count"] = String(views.length);
  }

  /** Stops clips that play. */
  pauseClips() {
    for (const view of this.views) view.pause?.();
  }

  /**
   * Makes the pictures selectable.
   *
   * @param {(index: number) => void} choose
   */
  offer(choose) {
    if (this.views.length === 1) return;
    this.views.forEach(({ canvas }, i) => {
      const button = element("button", {
        type: "button",
        class: "pick",
        "aria-pressed": String(i === 0),
        "aria-label": `Picture ${i + 1} of ${this.views.length}`,
        onclick: () => {
          for (const other of this.#frames.querySelectorAll(".pick")) {
            other.setAttribute("aria-pressed", String(other === button));
          }
          choose(i);
        },
      });
      canvas.replaceWith(button);
      button.append(canvas);
    });
  }

  #update() {
    if (this.#time === undefined) return;
    const { rows } = this.#time;
    this.#bar.value = rows / this.#rows;
    const seconds = this.#time.seconds(performance.now());
    const left = rows === this.#rows
      ? "finishing…"
      : seconds === undefined
      ? "estimating the time left"
      : `about ${secondsText(seconds)} left`;
    const passed = secondsText((performance.now() - this.#queuedAt) / 1000);
    this.#pace.textContent =
      `Row ${rows} of ${this.#rows} · ${passed} passed, ${left} · seed ${this.#seed}`;
  }
}
