/**
 * The import of a file as a picture, with the settings in its metadata.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { ProblemError } from "../api/problem.js";
import { pictureId } from "../logic/picture_files.js";
import { readPng } from "../logic/png_text.js";
import { settingsFromTexts } from "../logic/file_settings.js";

/** @typedef {import("../shell/shell.js").Picture} Picture */

/**
 * Opens a file as a clip or as a picture.
 *
 * @param {File} file
 * @param {import("../clips/clip_desk.js").ClipDesk | undefined} clips Undefined
 *   if animations are opened as pictures.
 * @param {AbortSignal} signal
 * @returns {Promise<{ picture: Picture, notice: string }>} Picture, with
 *   settings if this project drew it, and a notice for the user.
 */
export async function opened(file, clips, signal) {
  try {
    const clip = await clips?.open(file, signal);
    if (clip !== undefined) {
      return { picture: clip, notice: clipNotice(file.name, clip) };
    }
    const bitmap = await createImageBitmap(file);
    bitmap.close();
    return await pictureOf(file);
  } catch (error) {
    if (signal.aborted || error instanceof ProblemError) throw error;
    throw new Error(`${file.name} cannot be shown.`, { cause: error });
  }
}

/** @param {File} file */
async function pictureOf(file) {
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

/**
 * @param {string} name
 * @param {Picture} picture
 */
function clipNotice(name, { clip, settings }) {
  const frames = (clip?.frames ?? 0) * (clip?.framesPerCode ?? 1);
  const back = settings === undefined ? "" : ", and restored its settings";
  return `${name} is open as a clip of ${frames} frames${back}: choose a frame, and extend it from there.`;
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
