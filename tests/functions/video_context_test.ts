/** Videos as the context of a clip, of a script in place of ffmpeg. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { encodePng } from "../../lib/image/encode_png.ts";
import { clipFolder } from "../support/clip_folder.ts";
import { DESCRIPTION, fakeFfmpeg, MP4 } from "../support/fake_ffmpeg.ts";
import { goldenPath } from "../support/golden.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";

const program = await fakeFfmpeg();
const clips = clipFolder("tiny-clips", { "video_fps": 5 });
const tiny = goldenPath("checkpoints/emu3-tiny");
const vision = goldenPath("checkpoints/emu3-tiny-visiontokenizer");
const server = await openTinyServer({
  folders: { gen: tiny, chat: tiny, clips: clips.model, vision },
  ffmpeg: program.path,
});
globalThis.addEventListener("unload", async () => {
  await server[Symbol.asyncDispose]();
  clips[Symbol.dispose]();
  program[Symbol.dispose]();
});

/** The request of a clip after some context, as the most likely one. */
const after = {
  prompt: "a fox",
  height: 16,
  width: 24,
  frames: 6,
  temperature: 0,
};
const video = MP4.toBase64();
/** The four frames of the video. */
const stills = [1, 2, 3, 4].map((level) =>
  encodePng({
    height: 32,
    width: 48,
    pixels: new Uint8ClampedArray(3 * 32 * 48).fill(level),
  }, {}).toBase64()
);

async function generate(fields: Record<string, unknown>) {
  const init = json({ ...after, ...fields });
  return await (await server.app.request("/v1/generate", init)).json();
}

Deno.test("a video as context is the same as its frames", async () => {
  program.change({});
  const [byVideo] = (await generate({ context: [video] })).clips;
  const [byFrames] = (await generate({ context: stills })).clips;
  deepStrictEqual(byVideo.clip, byFrames.clip);
  match(program.calls().at(-1)!, / -vf fps=5.000000:/);
});

Deno.test("a video as context gives frames at the rate of the clip", async () => {
  program.change({});
  strictEqual((await generate({ context: [video], fps: 2 })).clips.length, 1);
  match(program.calls().at(-1)!, / -vf fps=2.000000:/);
});

Deno.test("the last frames of a long video are sought as context", async () => {
  const description = DESCRIPTION.replace("00:00:02.00", "00:10:00.00");
  program.change({ description });
  const fields = { context: [video], "context_frames": 2 };
  const [byVideo] = (await generate(fields)).clips;
  match(program.calls().at(-1)!, / -ss 597.600000 /);
  const [byFrames] = (await generate({ context: stills.slice(-2) })).clips;
  deepStrictEqual(byVideo.clip, byFrames.clip);
});

Deno.test("a video among pictures of the context is refused", async () => {
  const { status, detail } = await generate({ context: [stills[0], video] });
  strictEqual(status, 422);
  match(detail, /\/context: expected pictures; send a video alone/);
});
