/**
 * The drawing that is under way, kept in the tab: a page that is loaded again
 * goes on with it.
 *
 * It is kept as the words of a link: the settings, the codes of the rows that
 * came, and how many rows there will be. A job at the server would go on without
 * the page, and so also when its tab is closed and nobody wants it any more.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { DrawnRows, wireGrid } from "../logic/drawn_rows.js";
import { paramsFromSettings, settingsFromParams } from "../logic/settings.js";
import { calmly } from "../parts/calm.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./drawing.js").Known} Known
 */

const NAME = "emu3-drawing";

/** Time between two writings, in milliseconds. */
const WRITE_MS = 500;

/** A drawing that has no rows yet. @type {Known} */
const NOTHING = { seed: undefined, rows: [] };

/** The place where it is kept. */
export class KeptDrawing {
  /** @type {{ settings: Settings, known: Known } | undefined} */
  #drawing;
  #write = () => {
    if (this.#drawing === undefined) return;
    const { settings, known } = this.#drawing;
    try {
      sessionStorage.setItem(NAME, drawingText(settings, known));
    } catch {
      // A browser that keeps nothing: the page begins anew.
    }
  };
  #writeCalmly = calmly(WRITE_MS, this.#write);
  #leave;

  /**
   * Keeps a drawing from now on.
   *
   * @param {Settings} settings
   * @param {Known} known Looked at whenever rows have come.
   * @param {() => void} stop Told when the page is left: it asks for nothing more.
   */
  constructor(settings, known, stop) {
    this.#drawing = { settings, known };
    this.#writeCalmly();
    this.#leave = () => {
      this.#write();
      this.#drawing = undefined;
      stop();
    };
    addEventListener("pagehide", this.#leave);
  }

  /** Rows have come. */
  note() {
    this.#writeCalmly();
  }

  /** It has ended, unless the page is left. */
  end() {
    removeEventListener("pagehide", this.#leave);
    if (this.#drawing === undefined) return;
    this.#drawing = undefined;
    sessionStorage.removeItem(NAME);
  }
}

/**
 * The drawing that was under way when the page was left.
 *
 * @param {Settings | undefined} asked What the address asks for.
 * @returns {{ settings: Settings, known: Known } | undefined} Undefined for
 * none, and where something else is asked for.
 */
export function drawingLeft(asked) {
  const text = sessionStorage.getItem(NAME);
  const left = text === null ? undefined : drawingFromText(text);
  const goesOn = left !== undefined && (asked === undefined ||
    drawingText(asked, NOTHING) === drawingText(left.settings, NOTHING));
  if (!goesOn) sessionStorage.removeItem(NAME);
  return goesOn ? left : undefined;
}

/**
 * Several pictures of one seed are drawn from the beginning, so that none of
 * their rows is kept.
 *
 * @param {Settings} settings
 * @param {Known} known
 * @returns {string}
 */
export function drawingText(settings, { seed, rows }) {
  const [first] = rows;
  const asked = { ...settings, ...(seed !== undefined && { seed }) };
  if (rows.length !== 1 || first === undefined || first.count === 0) {
    return paramsFromSettings(asked).toString();
  }
  const { width, count, height } = first;
  const codes = first.codes.slice(0, count * width);
  const params = paramsFromSettings(asked, { height: count, width, codes });
  params.set("rows", String(height));
  return params.toString();
}

/**
 * @param {string} text
 * @returns {{ settings: Settings, known: Known } | undefined} Undefined for nonsense.
 */
export function drawingFromText(text) {
  const params = new URLSearchParams(text);
  const told = settingsFromParams(params);
  if (told === undefined) return undefined;
  const { settings, grid } = told;
  const height = Number(params.get("rows"));
  const whole = grid !== undefined && height >= grid.height;
  const rows = whole
    ? [
      new DrawnRows({ height, width: grid.width }, wireGrid(grid, grid.height)),
    ]
    : [];
  return { settings, known: { seed: settings.seed, rows } };
}
