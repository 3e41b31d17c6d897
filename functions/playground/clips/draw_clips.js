/**
 * The drawing of settings into clips, which play on the stage meanwhile.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { draw } from "../draw/drawing.js";
import { drawnNow, factsOf, RIVALS } from "../draw/draw_pictures.js";
import { comeDecoded, Previews } from "../draw/previews.js";
import {
  clipCodes,
  CODE_SIDE,
  cutClip,
  framesPerCode,
  wireClip,
} from "../logic/clip_codes.js";
import { clipOfRows } from "../logic/drawn_rows.js";
import { blobOf } from "../logic/picture_files.js";
import { FRAMES_PER_SECOND } from "../parts/frame_control.js";
import { clipFrames } from "./clip_call.js";
import { ClipView } from "./clip_view.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("../logic/drawn_rows.js").DrawnRows} DrawnRows
 */

/** Limit of codes whose logprobs are requested: they are large. */
const SCORED_CODES = 16_384;

/** Limit of frames that are decoded at once. */
const DECODED_AT_ONCE = 8;

/**
 * @param {Settings} settings Settings with more than one frame.
 * @param {import("../draw/draw_pictures.js").Studio} studio
 * @returns {Promise<{ pictures: Picture[], facts: string }>}
 */
export async function drawClips(
  settings,
  {
    stage,
    retryPolicy,
    model,
    onRow,
    known = { seed: settings.seed, rows: [] },
  },
) {
  const begun = performance.now();
  const { context } = known;
  const { signal } = retryPolicy;
  const previews = new Previews(signal);
  /** @type {ClipView[]} */
  let views = [];
  let each = 1;
  /** @param {ClipView | undefined} view @param {DrawnRows} rows */
  const decode = (view, rows) =>
    void previews.attempt(async () => {
      const [first = -1, ...others] = view?.undecoded ?? [];
      if (first < 0) return;
      // Frames in a row, as few as there is time for.
      const run = others.findIndex((frame, i) => frame !== first + i + 1);
      const count = Math.min(
        DECODED_AT_ONCE,
        1 + (run < 0 ? others.length : run),
      );
      const clip = cutClip(clipOfRows(rows, each), first, count);
      const files = await clipFrames(clip, { model: settings.model, signal });
      await view?.showFrames(first * each, files);
    });
  const { completed, rows } = await draw(
    bodyOf(settings, { context, model }),
    retryPolicy,
    {
      queued: (position) => {
        if (position > 0) stage.wait(`${position} ahead in the queue…`);
      },
      started: ({ seed, frames = 1, fps = FRAMES_PER_SECOND }, rows) => {
        each = (settings.frames ?? frames) / frames;
        const resumed = views.length === rows.length;
        if (!resumed) {
          views = rows.map(() => new ClipView());
          stage.place(views);
        }
        for (const [i, part] of rows.entries()) {
          const label = rows.length === 1
            ? settings.prompt
            : `${settings.prompt}, clip ${i + 1}`;
          if (resumed) views[i]?.resume(part);
          else views[i]?.begin(part, { framesPerCode: each, fps, label });
          if (part.frames > 0) decode(views[i], part);
        }
        stage.count(seed, rows);
      },
      row: (index) => {
        stage.mark();
        onRow?.();
        views[index]?.advance();
      },
      frame: (index, { frame, previews: pictures }, rows) => {
        const view = views[index];
        if (pictures === undefined || pictures.length === 0) {
          return decode(view, rows);
        }
        void view?.showFrames(frame * each, pictures.map(blobOf));
      },
    },
    known,
  );
  const drawn = { ...settings, seed: completed.seed };
  const pictures = (completed.clips ?? []).map((clip, i) => ({
    ...drawnNow(drawn, i),
    file: blobOf(clip),
    model: completed.model,
    clip: {
      ...clipCodes(clip.clip, each),
      fps: clip.fps,
      ...(model && { model: model.id }),
    },
    ...(rows[i]?.scores && { scores: rows[i].scores }),
    ...(context && { givenRows: context.frames * context.height }),
  }));
  const seconds = (performance.now() - begun) / 1000;
  return { pictures, facts: factsOf(completed, seconds) };
}

/**
 * @param {Settings} settings
 * @param {{ context: import("../logic/clip_codes.js").ClipCodes | undefined, model: import("../shell/server_watch.js").Model | undefined }} options
 * @returns {import("../draw/drawing.js").Body}
 */
function bodyOf(settings, { context, model }) {
  // The size is that of the given frames.
  const { ratio: _, height: __, width: ___, ...unsized } = settings;
  const cells = (model?.image_area ?? 0) / CODE_SIDE ** 2 *
    (settings.frames ?? 1) / framesPerCode(model?.clips);
  return {
    ...(context === undefined ? settings : unsized),
    ...(context && { clip: wireClip(context) }),
    preview: comeDecoded(model?.image_area),
    ...(cells <= SCORED_CODES && { logprobs: RIVALS }),
  };
}
