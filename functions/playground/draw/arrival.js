/**
 * The pictures of a link that need no drawing.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { pictureOfCodes } from "./draw_pictures.js";
import { HistoryStore } from "./history_store.js";

/**
 * @param {NonNullable<ReturnType<typeof import("../logic/settings.js").settingsFromParams>>} told
 * @param {AbortSignal} signal
 * @returns {Promise<readonly import("../shell/shell.js").Picture[]>} Pictures
 *   decoded from the link's codes or found in the history; empty if they have
 *   to be drawn.
 */
export async function picturesOf({ settings, grid }, signal) {
  if (grid !== undefined) return [await pictureOfCodes(settings, grid, signal)];
  if (settings.seed === undefined) return [];
  return await new HistoryStore().drawnBy(settings).catch(() => []);
}
