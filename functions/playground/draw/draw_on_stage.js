/**
 * The drawing of settings on the stage: it waits for a server that starts, and
 * is saved in the tab while it runs.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { drawPictures } from "./draw_pictures.js";
import { KeptDrawing } from "./kept_drawing.js";

export { Unfinished } from "./unfinished.js";

/**
 * @typedef {import("../logic/settings.js").Settings} Settings
 * @typedef {import("./drawing.js").Known} Known
 *
 * @typedef {object} Surroundings Collaborators of a drawing.
 * @property {import("../shell/server_watch.js").ServerWatch} server
 * @property {import("../parts/notice.js").Notice} notice Place of waits.
 * @property {import("./stage.js").Stage} stage
 * @property {AbortSignal} signal
 * @property {() => void} stop Aborts the signal.
 */

/** States of a server that is likely to become ready soon. */
const COMING = new Set(["unknown", "away", "loading"]);

/**
 * @param {Settings} settings
 * @param {Known} known Overwritten as more arrives.
 * @param {Surroundings} surroundings
 */
export async function drawOnStage(settings, known, surroundings) {
  const kept = new KeptDrawing(settings, known, surroundings.stop);
  try {
    const drawn = await drawKept(settings, known, { ...surroundings, kept });
    surroundings.stage.end();
    return drawn;
  } finally {
    kept.end();
  }
}

/**
 * @param {Settings} settings
 * @param {Known} known
 * @param {Surroundings & { kept: KeptDrawing }} surroundings
 */
async function drawKept(
  settings,
  known,
  { server, notice, stage, signal, kept },
) {
  stage.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  stage.wait("Waiting for the server…");
  const retryPolicy = {
    signal,
    onWait: (
      /** @type {import("../api/retry_policy.js").Wait | undefined} */ wait,
    ) => {
      notice.tellWait(wait);
      if (wait !== undefined) stage.pause();
    },
    whenBack: () => server.whenReady(signal),
  };
  if (COMING.has(server.state.value.state)) {
    stage.wait("It starts when the model is ready.");
    await server.whenReady(signal);
  }
  const studio = { stage, retryPolicy, onRow: () => kept.note(), known };
  if ((settings.frames ?? 1) > 1) {
    const { drawClips } = await import("../clips/draw_clips.js");
    const model = server.model("clips") ?? server.model("generate");
    return await drawClips(settings, { ...studio, model });
  }
  return await drawPictures(settings, {
    ...studio,
    model: server.model("generate"),
  });
}
