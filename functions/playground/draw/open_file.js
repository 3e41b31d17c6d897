/**
 * The import of a file as a picture, with the settings in its metadata.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { pictureId } from "../logic/picture_files.js";
import { readPng } from "../logic/png_text.js";
import { settingsFromTexts } from "../logic/settings.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/**
 * @param {File} file
 * @returns {Promise<{ picture: Picture, told: string }>} Picture, with settings
 *   if this project drew it, and a notice for the user.
 */
export async function pictureOf(file) {
  const png = await readPng(new Uint8Array(await file.arrayBuffer()));
  const told = png && settingsFromTexts(png.texts, png);
  /** @type {Picture} */
  const picture = {
    id: pictureId(),
    createdAt: Date.now(),
    title: told?.settings.prompt ?? file.name,
    file,
    imageIndex: told?.imageIndex ?? 0,
    ...(told && { settings: told.settings }),
    ...(told?.model !== undefined && { model: told.model }),
  };
  return { picture, told: `${file.name} ${whatItTells(told)}` };
}

/** @param {ReturnType<typeof settingsFromTexts>} told */
function whatItTells(told) {
  if (told === undefined) {
    return "has no settings: it was not made here, or its metadata was removed.";
  }
  const back = "restored its settings.";
  if (told.givenRows === 0) return back;
  const rows = told.givenRows === 1 ? "row was" : `${told.givenRows} rows were`;
  return `${back} Its first ${rows} given: the settings alone draw another picture.`;
}
