/**
 * The clips that come from files, from pictures and from codes.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { drawnNow } from "../draw/draw_pictures.js";
import { clipOf } from "../lab/detokenize_call.js";
import { apngOf, framesOfApng } from "../logic/apng.js";
import {
  clipCodes,
  CODE_SIDE,
  cutClip,
  frameSize,
  framesPerCode,
} from "../logic/clip_codes.js";
import { clipOfRows } from "../logic/drawn_rows.js";
import { pictureId } from "../logic/picture_files.js";
import { readPng } from "../logic/png_text.js";
import { firstCells } from "../logic/scores.js";
import { settingsFromTexts } from "../logic/file_settings.js";
import { clipFile, clipFrames, encodeFrames } from "./clip_call.js";
import { readFrames, resized } from "./read_frames.js";

/**
 * @typedef {import("../logic/clip_codes.js").ClipCodes} ClipCodes
 * @typedef {import("../logic/clip_codes.js").ClipForm} ClipForm
 * @typedef {import("../logic/codes_text.js").Grid} Grid
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../shell/server_watch.js").Model & { clips: ClipForm }} ClipModel
 */

/** Limit of frames that are read from a file. */
const MOST_FRAMES = 256;

/** Area of frames, in pixels, if the model has no area of its own. */
const AREA = 256 * 256;

/**
 * Opens an animation or a video as a clip of the model's codes.
 *
 * @param {File} file
 * @param {ClipModel} model
 * @param {AbortSignal} signal
 * @returns {Promise<Picture | undefined>} Undefined for a still picture.
 */
export async function openClip(file, model, signal) {
  const sizeOf = sizes(model);
  const options = { sizeOf, most: MOST_FRAMES, fps: model.clips.fps, signal };
  const { frames, fps } = await readFrames(file, options) ??
    await framesByServer(file, model, signal);
  if (frames.length === 0) return undefined;
  const codes = await encodeFrames(frames, framesPerCode(model.clips), {
    model: model.id,
    signal,
  });
  const png = await readPng(new Uint8Array(await file.arrayBuffer()));
  const { height, width } = codes;
  const whole = png?.height === height * CODE_SIDE &&
    png.width === width * CODE_SIDE;
  const metadata = png && settingsFromTexts(png.texts, png);
  return {
    id: pictureId(),
    createdAt: Date.now(),
    title: metadata?.settings.prompt ?? file.name,
    // A file of this project keeps its metadata.
    file: metadata && whole ? file : await joined(frames, fps),
    imageIndex: 0,
    clip: { ...codes, fps, model: model.id },
    ...(metadata && { settings: metadata.settings }),
    ...(metadata?.givenRows && { givenRows: metadata.givenRows }),
  };
}

/**
 * Returns the first frames of a clip, or a picture as the first frame, in the
 * model's codes.
 *
 * @param {Picture} picture
 * @param {number} count Frames of pixels.
 * @param {ClipModel} model
 * @param {AbortSignal} signal
 * @returns {Promise<ClipCodes>}
 */
export async function contextOf(picture, count, model, signal) {
  const { clip, grid } = picture;
  const each = framesPerCode(model.clips);
  if (clip?.model === model.id && clip.framesPerCode === each) {
    return cutClip(clip, 0, Math.ceil(count / each));
  }
  const whole = picture.wholeHeight === undefined;
  if (grid && whole && picture.model === model.id && each === 1) {
    return { ...grid, frames: 1, framesPerCode: each, model: model.id };
  }
  const files = clip === undefined
    ? [picture.file]
    : (await stillsOf(picture.file)).slice(0, count);
  const frames = await Promise.all(
    files.map((file) => resized(file, sizes(model))),
  );
  const options = { model: model.id, signal };
  const codes = await encodeFrames(frames, each, options);
  return { ...codes, model: model.id };
}

/**
 * Decodes the codes of a link into a clip.
 *
 * @param {Settings} settings
 * @param {Grid} grid
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
export async function clipOfLink(settings, grid, signal) {
  const { frames = 1, height, width, codes } = grid;
  const each = Math.max(1, Math.round((settings.frames ?? 0) / frames));
  return await clipOfCodes(
    settings,
    { frames, height, width, codes, framesPerCode: each },
    signal,
  );
}

/**
 * Decodes the whole frames of an interrupted drawing.
 *
 * @param {Settings} settings
 * @param {import("../logic/drawn_rows.js").DrawnRows} rows At least one frame.
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
export async function unfinishedClip(settings, rows, signal) {
  const all = rows.height / rows.frameHeight;
  const clip = clipOfRows(rows, (settings.frames ?? all) / all);
  const { frames, framesPerCode: each, codes } = clip;
  const picture = await clipOfCodes(settings, clip, signal);
  const known = `${frames * each} of ${all * each} frames`;
  return {
    ...picture,
    title: `${settings.prompt} (${known})`,
    wholeHeight: rows.height,
    ...(rows.scores && { scores: firstCells(rows.scores, codes.length) }),
  };
}

/**
 * @param {Settings} settings
 * @param {ClipCodes} clip
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
async function clipOfCodes(settings, clip, signal) {
  const { fps, model } = settings;
  const whole = {
    ...clip,
    ...(fps !== undefined && { fps }),
    ...(model !== undefined && { model }),
  };
  const file = await clipFile(whole, "image/apng", { model, signal });
  return { ...drawnNow(settings, 0), file, clip: whole };
}

/**
 * Returns the frames of a clip's file, as PNGs.
 *
 * @param {Blob} file APNG of whole frames.
 * @returns {Promise<Blob[]>}
 */
export async function stillsOf(file) {
  return framesOfApng(new Uint8Array(await file.arrayBuffer()))
    .map(({ png }) => new Blob([png], { type: "image/png" }));
}

/** @param {ClipModel} model */
function sizes({ image_area: area }) {
  /** @param {{ height: number, width: number }} source */
  return (source) => frameSize(source, { area: area ?? AREA, side: CODE_SIDE });
}

/**
 * Decodes a file that the browser cannot decode.
 *
 * @param {File} file
 * @param {ClipModel} model
 * @param {AbortSignal} signal
 */
async function framesByServer(file, model, signal) {
  const wire = await clipOf([file], signal);
  // It is a still picture.
  if (wire === undefined) return { frames: [], fps: model.clips.fps };
  const files = await clipFrames(clipCodes(wire, 4), {
    model: undefined,
    signal,
  });
  const frames = await Promise.all(
    files.slice(0, MOST_FRAMES).map((file) => resized(file, sizes(model))),
  );
  return { frames, fps: model.clips.fps };
}

/**
 * @param {readonly Blob[]} frames PNGs of one size.
 * @param {number} fps
 */
async function joined(frames, fps) {
  const ms = Math.round(1000 / fps);
  const pngs = await Promise.all(
    frames.map(async (frame) => ({
      png: new Uint8Array(await frame.arrayBuffer()),
      ms,
    })),
  );
  return new Blob([apngOf(pngs)], { type: "image/png" });
}
