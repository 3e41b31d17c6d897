/**
 * A file as a picture, with the settings that it tells.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { pictureId } from "../logic/picture_id.js";
import { readPng } from "../logic/png_text.js";
import { settingsFromTexts } from "../logic/settings.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/**
 * @param {File} file
 * @returns {Promise<Picture>} With settings where it was made here.
 */
export async function pictureOf(file) {
  const png = await readPng(new Uint8Array(await file.arrayBuffer()));
  const told = png && settingsFromTexts(png.texts, png);
  return {
    id: pictureId(),
    createdAt: Date.now(),
    title: told?.settings.prompt ?? file.name,
    file,
    imageIndex: told?.imageIndex ?? 0,
    ...(told && { settings: told.settings }),
    ...(told?.model !== undefined && { model: told.model }),
  };
}
