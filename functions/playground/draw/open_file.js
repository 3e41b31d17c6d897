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
 * @returns {Promise<{ picture: Picture, notice: string }>} Picture, with settings
 *   if this project drew it, and a notice for the user.
 */
export async function pictureOf(file) {
  const png = await readPng(new Uint8Array(await file.arrayBuffer()));
  const metadata = png && settingsFromTexts(png.texts, png);
  /** @type {Picture} */
  const picture = {
    id: pictureId(),
    createdAt: Date.now(),
    title: metadata?.settings.prompt ?? file.name,
    file,
    imageIndex: metadata?.imageIndex ?? 0,
    ...(metadata && { settings: metadata.settings }),
    ...(metadata?.model !== undefined && { model: metadata.model }),
  };
  return { picture, notice: `${file.name} ${importNotice(metadata)}` };
}

/** @param {ReturnType<typeof settingsFromTexts>} metadata */
function importNotice(metadata) {
  if (metadata === undefined) {
    return "has no settings: it was not made here, or its metadata was removed.";
  }
  const back = "restored its settings.";
  if (metadata.givenRows === 0) return back;
  const rows = metadata.givenRows === 1
    ? "row was"
    : `${metadata.givenRows} rows were`;
  return `${back} Its first ${rows} given: the settings alone draw another picture.`;
}
