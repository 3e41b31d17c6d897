// deno-lint-ignore-file no-console -- a report for people
/**
 * The forward passes of clips by strategy and window: `deno run -A
 * tests/bench/clip_forwards.ts FOLDER [frames] [height] [width]`, for a
 * checkpoint of the form `frames`.
 *
 * @module
 */

import { CLIP_FORMS, clipParams, drawClips } from "../support/clips.ts";
import { openLanguageModel } from "../../lib/language_model.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";

/** Prompts of the clips. */
const PROMPTS = [
  "a rocket flies up, blue background",
  "a car moves to the right on green",
  "a fox runs left, white background",
  "a balloon falls, yellow background",
  "a panda comes nearer on pink",
  "a star appears and goes, purple background",
];

const WINDOWS = [8, 16, 32];

/** A controller that never rests: what guesses alone are worth. */
const ALWAYS = { trial: 8, worth: 0, rest: 1 };

const [folder, frames = "8", height = "13", width = "13"] = Deno.args;
if (folder === undefined) throw new TypeError("name the folder of a model");
await using runtime = new Runtime({ threads: 1 });
const checkpoint = await openLanguageCheckpoint(folder);
await using model = await openLanguageModel(runtime, checkpoint, {
  heads: ["codes"],
  slots: 2,
  cacheBytes: 2 ** 28,
  chunkLength: 256,
  queueLimit: 8,
  now: () => performance.now(),
});
const size = {
  frames: Number(frames),
  height: Number(height),
  width: Number(width),
};
const { temperature, topK, topP, guidanceScale } = model.generation;
const samplings = {
  greedy: { temperature: 0, topK: 0, topP: 1 },
  recommended: { temperature, topK, topP },
};
const strategies = [
  ...WINDOWS.flatMap((window) => [
    { name: "jacobi", window } as const,
    { name: "jacobi", window, controller: ALWAYS } as const,
  ]),
];
console.log(
  `${checkpoint.name}: ${frames} frames of ${height} × ${width}, forwards a clip; autoregressive ${
    size.frames * size.height * size.width
  }`,
);
for (const [name, sampling] of Object.entries(samplings)) {
  for (const strategy of strategies) {
    let forwards = 0;
    for (const prompt of PROMPTS) {
      const drawn = await drawClips(model, {
        ...clipParams(CLIP_FORMS.whole, size),
        prompt,
        negativePrompt: "",
        guidanceScale,
        sampling,
        strategy,
      });
      forwards += drawn.forwards;
    }
    const always = "controller" in strategy ? ", never resting" : "";
    const mean = (forwards / PROMPTS.length).toFixed(0).padStart(6);
    console.log(`${mean}  ${name}, window ${strategy.window}${always}`);
  }
}
