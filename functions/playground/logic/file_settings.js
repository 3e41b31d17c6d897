/**
 * The settings of a drawing in the metadata of its file.
 *
 * @module
 */

// @ts-check

import { NUMBERS, TEXTS } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

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
  // The frames of a clip are one below the other.
  const { frames, height: given } =
    /** @type {{ frames?: unknown, height?: unknown }} */ (
      fields["prefix"] ?? fields["clip"] ?? {}
    );
  return {
    settings,
    imageIndex,
    model: typeof model === "string" ? model : undefined,
    givenRows: typeof given !== "number"
      ? 0
      : typeof frames === "number"
      ? frames * given
      : given,
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
