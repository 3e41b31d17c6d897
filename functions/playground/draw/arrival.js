/**
 * The pictures that a link asks for, where they need not be drawn.
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
 * @returns {Promise<readonly import("../shell/shell.js").Picture[]>} From the
 * codes in the link, or drawn before; none where it has to be drawn.
 */
export async function picturesOf({ settings, grid }, signal) {
  if (grid !== undefined) return [await pictureOfCodes(settings, grid, signal)];
  if (settings.seed === undefined) return [];
  return await new HistoryStore().drawnBy(settings).catch(() => []);
}
