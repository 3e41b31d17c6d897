/** The laws of `POST /v1/score` about clips. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { openClipServer, SMALL_CLIP } from "../support/clip_server.ts";
import { describedBy } from "../support/described.ts";
import {
  json,
  openTinyServer,
  type TinyServer,
} from "../support/tiny_server.ts";

const server = await openClipServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { check } = await describedBy(server.app);

/** Tolerance of a sum over a row, computed by other kernels. */
const SUM_TOLERANCE = 2e-3;

const { prompt } = SMALL_CLIP;

async function post(
  body: object,
  { app }: Pick<TinyServer, "app"> = server,
  path = "/v1/score",
) {
  const answer = await app.request(path, json(body));
  const copy = answer.clone();
  if (app === server.app) await check("POST", path, copy);
  return { status: answer.status, fields: await answer.json() };
}

async function drawnClip(body: object, app = server) {
  const { status, fields } = await post(body, app, "/v1/generate");
  strictEqual(status, 200, JSON.stringify(fields));
  return fields.clips[0];
}

function sum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function close(a: readonly number[], b: readonly number[]): void {
  strictEqual(a.length, b.length);
  for (const [i, value] of a.entries()) {
    ok(Math.abs(value - b[i]!) < SUM_TOLERANCE, `${i}: ${value}, ${b[i]}`);
  }
}

for (
  const [name, settings, frames] of [
    ["frames, whole", {}, 4],
    ["frames, interleaved", { "video_mode": "interleaved" }, 4],
    ["paper", { "video_format": "paper" }, 8],
  ] as const
) {
  Deno.test(`POST /v1/score returns for a clip what generate reports: ${name}`, async () => {
    await using server = await openClipServer(settings);
    const asked = { prompt, "guidance_scale": 2 };
    const { clip, rows } = await drawnClip(
      { ...SMALL_CLIP, ...asked, frames, logprobs: 1 },
      server,
    );
    type Row = { logprobs: { logprob: number }[] };
    const expected = (rows as Row[]).map(({ logprobs }) =>
      sum(logprobs.map(({ logprob }) => logprob))
    );
    const { fields } = await post({ ...asked, clip, rows: true }, server);
    close(fields.rows, expected);
    strictEqual(fields.tokens, clip.frames * clip.height * clip.width);
    close(
      fields.frames,
      Array.from(
        { length: clip.frames },
        (_, i) => sum(expected.slice(i * clip.height, (i + 1) * clip.height)),
      ),
    );
    close([fields.logprob], [sum(expected)]);
  });
}

Deno.test("POST /v1/score scores frames as images, or as one animation, as their codes", async () => {
  const pixels = { height: 64, width: 64 };
  const frames = await Promise.all([1, 2].map(async (seed) => {
    const request = { prompt, ...pixels, seed };
    const { fields } = await post(request, server, "/v1/generate");
    return fields.images[0].b64_json as string;
  }));
  const tokenized = await post(
    { frames, "frames_per_code": 1 },
    server,
    "/v1/tokenize",
  );
  const { clip } = tokenized.fields;
  const ofCodes = await post({ prompt, clip });
  const ofFrames = await post({ prompt, frames });
  deepStrictEqual(ofFrames.fields.frames, ofCodes.fields.frames);
  const apng = await server.app.request(
    "/v1/detokenize",
    json({ clip }, { accept: "image/apng" }),
  );
  const animation = [(await apng.bytes()).toBase64()];
  const [again, of] = await Promise.all([
    post({ prompt, frames: animation }),
    post({ image: animation[0], "frames_per_code": 1 }, server, "/v1/tokenize"),
  ]);
  const ofAgain = await post({ prompt, clip: of.fields.clip });
  deepStrictEqual(again.fields.frames, ofAgain.fields.frames);
  strictEqual(again.fields.frames.length, 2);
});

Deno.test("POST /v1/score scores a clip of one still as the image", async () => {
  const codes = [[1, 2, 3], [4, 5, 6]];
  const image = await post({ prompt, grid: { codes } });
  const still = await post({ prompt, clip: { codes: [codes] } });
  strictEqual(still.fields.logprob, image.fields.logprob);
});

const clip = { codes: [[[1, 2]], [[3, 4]]] };

for (
  const [name, body, pointer] of [
    ["a clip and an image", { prompt, clip, grid: { codes: [[1]] } }, "/clip"],
    ["a clip twice", { prompt, clip, frames: ["AAAA"] }, "/clip"],
    ["an answer about a clip", { text: "a", clip }, "/clip"],
    ["a frame rate of 0", { prompt, clip, fps: 0 }, "/fps"],
    ["frames without an image", { prompt, frames: ["#"] }, "/frames/0"],
    [
      "codes of another form",
      { prompt, clip: { ...clip, "frames_per_code": 4 } },
      "/clip/frames_per_code",
    ],
  ] as const
) {
  Deno.test(`POST /v1/score refuses ${name}`, async () => {
    const { status, fields } = await post(body);
    strictEqual(status, 422, JSON.stringify(fields));
    strictEqual(fields.errors[0].pointer, pointer);
  });
}

Deno.test("POST /v1/score refuses a clip without a model that draws clips", async () => {
  await using server = await openTinyServer();
  const { status, fields } = await post({ prompt, clip }, server);
  strictEqual(status, 422);
  match(fields.errors[0].detail, /video_format/);
});
