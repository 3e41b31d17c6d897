/**
 * The drawing in progress, saved in the tab, so that a reloaded page resumes
 * it.
 *
 * It is saved in the format of a link: the settings, the codes of the rows so
 * far, and the total of rows. A job at the server would continue after the tab
 * is closed, when no client needs it any more.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { clipOfRows, DrawnRows, wireGrid } from "../logic/drawn_rows.js";
import { linkFromParams, paramsFromLink } from "../logic/link.js";
import { throttle } from "../parts/throttle.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./drawing.js").Known} Known
 */

const NAME = "emu3-drawing";

/** Interval between two writes, in milliseconds. */
const WRITE_MS = 500;

/** A drawing without rows. @type {Known} */
const NOTHING = { seed: undefined, rows: [] };

/** The saved drawing. */
export class KeptDrawing {
  /** @type {{ settings: Settings, known: Known } | undefined} */
  #drawing;
  #write = () => {
    if (this.#drawing === undefined) return;
    const { settings, known } = this.#drawing;
    try {
      sessionStorage.setItem(NAME, drawingText(settings, known));
    } catch {
      // Without storage in the browser, a reloaded page starts anew.
    }
  };
  #writeThrottled = throttle(WRITE_MS, this.#write);
  #leave;

  /**
   * Saves a drawing from now on.
   *
   * @param {Settings} settings
   * @param {Known} known State that is read after each row.
   * @param {() => void} stop Called when the page is left, to end the request.
   */
  constructor(settings, known, stop) {
    this.#drawing = { settings, known };
    this.#writeThrottled();
    this.#leave = () => {
      this.#write();
      this.#drawing = undefined;
      stop();
    };
    addEventListener("pagehide", this.#leave);
  }

  /** Schedules a write after a row. */
  note() {
    this.#writeThrottled();
  }

  /** Removes the saved drawing, unless the page is being left. */
  end() {
    removeEventListener("pagehide", this.#leave);
    if (this.#drawing === undefined) return;
    this.#drawing = undefined;
    sessionStorage.removeItem(NAME);
  }
}

/**
 * Returns the drawing that was in progress when the page was left.
 *
 * @param {Settings | undefined} requested Settings in the address.
 * @returns {{ settings: Settings, known: Known } | undefined} Undefined if
 *   there is none, or if the address names another one.
 */
export function drawingLeft(requested) {
  const text = sessionStorage.getItem(NAME);
  const left = text === null ? undefined : drawingFromText(text);
  const matches = left !== undefined && (requested === undefined ||
    drawingText(requested, NOTHING) === drawingText(left.settings, NOTHING));
  if (!matches) sessionStorage.removeItem(NAME);
  return matches ? left : undefined;
}

/**
 * Serializes a drawing. Several pictures of one seed are drawn from the
 * beginning, so their rows are left out.
 *
 * @param {Settings} settings
 * @param {Known} known
 * @returns {string}
 */
export function drawingText(settings, { seed, rows, context }) {
  const [first] = rows;
  const whole = { ...settings, ...(seed !== undefined && { seed }) };
  if (rows.length !== 1 || first === undefined || first.count === 0) {
    const params = paramsFromLink(whole, context);
    if (context !== undefined) {
      params.set("frames_per_code", String(context.framesPerCode));
    }
    return params.toString();
  }
  const { width, count, height, frameHeight } = first;
  const codes = first.codes.slice(0, count * width);
  const params = paramsFromLink(whole, { height: count, width, codes });
  params.set("rows", String(height));
  if (frameHeight < height) {
    params.set("frame_rows", String(frameHeight));
    params.set("given", String(context?.frames ?? 0));
  }
  return params.toString();
}

/**
 * @param {string} text
 * @returns {{ settings: Settings, known: Known } | undefined} Undefined if the
 *   text is invalid.
 */
export function drawingFromText(text) {
  const params = new URLSearchParams(text);
  const parsed = linkFromParams(params);
  if (parsed === undefined) return undefined;
  const { settings, grid } = parsed;
  /** @param {string} name */
  const number = (name) => Number(params.get(name) ?? 0);
  const { seed } = settings;
  if (grid?.frames !== undefined) {
    // The codes are the given frames of a clip without any other row.
    const framesPerCode = number("frames_per_code");
    const context = { ...grid, frames: grid.frames, framesPerCode };
    return { settings, known: { seed, rows: [], context } };
  }
  const height = number("rows");
  if (grid === undefined || height < grid.height) {
    return { settings, known: { seed, rows: [] } };
  }
  const { width } = grid;
  const frameRows = number("frame_rows") || height;
  const given = wireGrid(grid, grid.height);
  const rows = new DrawnRows({ height, width }, given, frameRows);
  const frames = number("given");
  const context = {
    ...clipOfRows(rows, (settings.frames ?? 0) * frameRows / height),
    frames,
    codes: rows.codes.slice(0, frames * frameRows * width),
  };
  return {
    settings,
    known: { seed, rows: [rows], ...(frames > 0 && { context }) },
  };
}
