/**
 * The link of a drawing: its settings, and its codes if they are shared too.
 *
 * @module
 */

// @ts-check

import { codesFromText, codesToText } from "./codes_text.js";
import { paramsFromSettings, settingsFromParams } from "./settings.js";

/**
 * @typedef {import("./codes_text.js").Grid} Grid
 * @typedef {import("./settings.js").Settings} Settings
 */

/**
 * Serializes settings and codes into query parameters.
 *
 * @param {Settings} settings
 * @param {Grid} [grid] Codes to include.
 * @returns {URLSearchParams}
 */
export function paramsFromLink(settings, grid) {
  const params = paramsFromSettings(settings);
  if (grid !== undefined) params.set("codes", codesToText(grid));
  return params;
}

/**
 * Parses the settings and the codes of an address; invalid values are dropped.
 *
 * @param {URLSearchParams} params
 * @returns {{ settings: Settings, grid: Grid | undefined } | undefined}
 * Undefined if it has no settings.
 */
export function linkFromParams(params) {
  const settings = settingsFromParams(params);
  if (settings === undefined) return undefined;
  const codes = params.get("codes");
  return {
    settings,
    grid: codes === null ? undefined : codesFromText(codes),
  };
}
