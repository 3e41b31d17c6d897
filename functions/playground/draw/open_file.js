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
 * @returns {Promise<{ picture: Picture, told: string }>} With settings where it
 * was made here, and what to say of it.
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
    return "tells no settings: it was not made here, or its metadata are gone.";
  }
  const back = "brought its settings back.";
  if (told.givenRows === 0) return back;
  const rows = told.givenRows === 1 ? "row was" : `${told.givenRows} rows were`;
  return `${back} Its first ${rows} given: the settings alone draw another picture.`;
}
