/**
 * The settings of a drawing, by the API's names, and their form in an address.
 *
 * Missing settings take the checkpoint's defaults.
 *
 * @module
 */

// @ts-check

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
 * @property {number} [frames] Frames of pixels of a clip.
 * @property {number} [fps]
 * @property {string} [model] Model, unless it is the default.
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
  "frames",
  "fps",
]);

/** Names of settings that are texts. */
export const TEXTS = /** @type {const} */ ([
  "negative_prompt",
  "ratio",
  "strategy",
  "adapter",
]);

/** The model of an address; that of a file may be unknown to this server. */
const MODEL = /** @type {const} */ ("model");

/**
 * Serializes settings into query parameters.
 *
 * @param {Settings} settings
 * @returns {URLSearchParams}
 */
export function paramsFromSettings(settings) {
  const params = new URLSearchParams({ prompt: settings.prompt });
  for (const name of [...TEXTS, ...NUMBERS, MODEL]) {
    const value = settings[name];
    if (value !== undefined) params.set(name, String(value));
  }
  return params;
}

/**
 * Parses the settings of an address; invalid values are dropped.
 *
 * @param {URLSearchParams} params
 * @returns {Settings | undefined} Undefined if it has no settings.
 */
export function settingsFromParams(params) {
  const prompt = params.get("prompt");
  if (prompt === null) return undefined;
  /** @type {Settings} */
  const settings = { prompt };
  for (const name of [...TEXTS, MODEL]) {
    const value = params.get(name);
    if (value !== null) settings[name] = value;
  }
  for (const name of NUMBERS) {
    const value = params.get(name);
    if (value !== null && value !== "" && Number.isFinite(Number(value))) {
      settings[name] = Number(value);
    }
  }
  return settings;
}
