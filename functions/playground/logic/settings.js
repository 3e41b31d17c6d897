/**
 * The settings of a drawing, by the API's names, and their form in an address.
 *
 * Missing settings take the checkpoint's defaults.
 *
 * @module
 */

// @ts-check

import { codesFromText, codesToText } from "./codes_text.js";

/**
 * @typedef {object} Settings
 * @property {string} prompt
 * @property {string} [negative_prompt]
 * @property {string} [ratio] Ratio as `W:H`.
 * @property {number} [height] Pixels, with `width`, instead of `ratio`.
 * @property {number} [width]
 * @property {number} [guidance_scale]
 * @property {number} [temperature]
 * @property {number} [top_k]
 * @property {number} [top_p]
 * @property {number} [seed]
 * @property {string} [strategy]
 * @property {string} [adapter]
 * @property {number} [n]
 *
 * @typedef {{ height: number, width: number, codes: Uint16Array }} Grid
 */

/** Names of numeric settings. */
export const NUMBERS = /** @type {const} */ ([
  "height",
  "width",
  "guidance_scale",
  "temperature",
  "top_k",
  "top_p",
  "seed",
  "n",
]);

const TEXTS = /** @type {const} */ ([
  "negative_prompt",
  "ratio",
  "strategy",
  "adapter",
]);

/**
 * Serializes settings into query parameters.
 *
 * @param {Settings} settings
 * @param {Grid} [grid] Codes to include.
 * @returns {URLSearchParams}
 */
export function paramsFromSettings(settings, grid) {
  const params = new URLSearchParams({ prompt: settings.prompt });
  for (const name of [...TEXTS, ...NUMBERS]) {
    const value = settings[name];
    if (value !== undefined) params.set(name, String(value));
  }
  if (grid !== undefined) params.set("codes", codesToText(grid));
  return params;
}

/**
 * Parses the settings of an address; invalid values are dropped.
 *
 * @param {URLSearchParams} params
 * @returns {{ settings: Settings, grid: Grid | undefined } | undefined}
 * Undefined if it has no settings.
 */
export function settingsFromParams(params) {
  const prompt = params.get("prompt");
  if (prompt === null) return undefined;
  /** @type {Settings} */
  const settings = { prompt };
  for (const name of TEXTS) {
    const value = params.get(name);
    if (value !== null) settings[name] = value;
  }
  for (const name of NUMBERS) {
    const value = params.get(name);
    if (value !== null && value !== "" && Number.isFinite(Number(value))) {
      settings[name] = Number(value);
    }
  }
  const codes = params.get("codes");
  return {
    settings,
    grid: codes === null ? undefined : codesFromText(codes),
  };
}

/**
 * Reads the settings from a picture's metadata.
 *
 * The size is that of the pixels, since a ratio alone does not determine it.
 * Image i of a request has its own random numbers, so it has to be requested
 * together with those before it.
 *
 * @param {Readonly<Record<string, string>>} texts Texts by keyword.
 * @param {{ height: number, width: number }} pixels
 * @returns {{ settings: Settings, imageIndex: number, model: string | undefined, givenRows: number } | undefined}
 * Undefined if this project did not write them.
 */
export function settingsFromTexts(texts, pixels) {
  const { Description: prompt, parameters } = texts;
  if (prompt === undefined || parameters === undefined) return undefined;
  const fields = parsed(parameters);
  if (fields === undefined || typeof fields["seed"] !== "number") {
    return undefined;
  }
  /** @type {Settings} */
  const settings = { prompt, height: pixels.height, width: pixels.width };
  for (const name of TEXTS) {
    const value = fields[name];
    if (typeof value === "string") settings[name] = value;
  }
  for (const name of NUMBERS) {
    const value = fields[name];
    if (typeof value === "number") settings[name] = value;
  }
  const index = fields["image_index"];
  const imageIndex = typeof index === "number" ? index : 0;
  if (imageIndex > 0) settings.n = imageIndex + 1;
  const model = fields["model"];
  const given =
    /** @type {{ height?: unknown } | undefined} */ (fields["prefix"])
      ?.height;
  return {
    settings,
    imageIndex,
    model: typeof model === "string" ? model : undefined,
    givenRows: typeof given === "number" ? given : 0,
  };
}

/**
 * @param {string} json
 * @returns {Record<string, unknown> | undefined}
 */
function parsed(json) {
  try {
    const value = JSON.parse(json);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
