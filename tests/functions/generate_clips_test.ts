import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { clipFrame } from "../../lib/grid.ts";
import { decodeFrames } from "../../lib/image/decode.ts";
import { readHeader } from "../../lib/image/header.ts";
import { readNpy } from "../../lib/npy.ts";
import { clipFolder } from "../support/clip_folder.ts";
import { goldenPath } from "../support/golden.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { json, openTinyServer, parseEvents } from "../support/tiny_server.ts";

const CLIP_NAME = "tiny-clips";
const whole = clipFolder(CLIP_NAME, {
  "video_frames": 4,
  "video_max_frames": 24,
  "video_fps": 5,
});
const paper = clipFolder("tiny-paper", { "video_format": "paper" });
const vision = goldenPath("checkpoints/emu3-tiny-visiontokenizer");

function foldersOf(clips: string) {
  const tiny = goldenPath("checkpoints/emu3-tiny");
  return { gen: tiny, chat: tiny, clips, vision };
}

const server = await openTinyServer({ folders: foldersOf(whole.model) });
globalThis.addEventListener("unload", async () => {
  await server[Symbol.asyncDispose]();
  whole[Symbol.dispose]();
  paper[Symbol.dispose]();
});

/** The request of three frames of two by three codes. */
const small = { prompt: "a fox", height: 16, width: 24, frames: 3, seed: 5 };

function generate(body: unknown, accept?: string): Promise<Response> {
  const headers = accept === undefined ? {} : { accept };
  return Promise.resolve(
    server.app.request("/v1/generate", json(body, headers)),
  );
}

/** Returns the clip of an answer. */
async function clipOf(body: unknown) {
  const answer = await generate(body);
  const fields = await answer.json();
  strictEqual(answer.status, 200, JSON.stringify(fields));
  deepStrictEqual(fields.images, []);
  return fields.clips[0];
}

Deno.test("GET /v1/models lists clips of a model that no request has opened", async () => {
  await using fresh = await openTinyServer({ folders: foldersOf(whole.model) });
  const model = async () => {
    const answer = await fresh.app.request(`/v1/models/${CLIP_NAME}`);
    return await answer.json();
  };
  const before = await model();
  strictEqual(before.state, "unloaded");
  ok(before.capabilities.includes("clips"));
  deepStrictEqual(before.clips, {
    format: "frames",
    mode: "whole",
    frames: 4,
    "max_frames": 24,
    fps: 5,
  });
  const drawn = await fresh.app.request("/v1/generate", json(small));
  strictEqual((await drawn.json()).model, CLIP_NAME);
  const after = await model();
  strictEqual(after.state, "ready");
  // Clients size pictures for it, and suggest prompts, before it is open.
  for (const name of ["image_area", "examples", "subjects", "known_words"]) {
    deepStrictEqual(before[name], after[name], name);
  }
});

Deno.test("POST /v1/generate draws a clip, and answers its codes and its file", async () => {
  const { clip, ...rest } = await clipOf(small);
  const { b64_json: base64, ...fields } = rest;
  deepStrictEqual(fields, {
    "mime_type": "image/apng",
    height: 16,
    width: 24,
    frames: 3,
    fps: 5,
  });
  const { codes, ...shape } = clip;
  deepStrictEqual(shape, {
    frames: 3,
    height: 2,
    width: 3,
    "frames_per_code": 1,
  });
  deepStrictEqual(codes.map((frame: number[][]) => frame.length), [2, 2, 2]);
  strictEqual(readHeader(Uint8Array.fromBase64(base64)).frames, 3);
});

Deno.test("POST /v1/generate with one frame draws the picture", async () => {
  const one = { ...small, frames: 1, model: "emu3-tiny" };
  const { frames: _, ...picture } = one;
  const grids = await Promise.all(
    [one, picture].map(async (body) =>
      (await (await generate(body)).json()).images[0].grid
    ),
  );
  deepStrictEqual(grids[0], grids[1]);
});

Deno.test("A clip's frames are the stills of its codes", async () => {
  const { clip, b64_json: base64 } = await clipOf(small);
  const options = { decode: "display", maxPixels: 2 ** 20 } as const;
  const frames = await decodeFrames(Uint8Array.fromBase64(base64), {
    ...options,
    maxFrames: 8,
  });
  const flat = Uint16Array.from(clip.codes.flat(2));
  const codes = { frames: 3, height: 2, width: 3, codes: flat };
  const tokenizer = server.services.vision(undefined);
  for (const [i, frame] of frames.entries()) {
    const still = await tokenizer.decode(clipFrame(codes, i));
    deepStrictEqual(frame.pixels, still.pixels);
  }
});

Deno.test("The first frames of a greedy clip, given, are continued by the rest of it", async () => {
  const greedy = { ...small, temperature: 0, frames: 4 };
  const { clip } = await clipOf(greedy);
  for (const given of [1, 2, 3]) {
    const first = { "frames_per_code": 1, codes: clip.codes.slice(0, given) };
    const { height: _, width: __, ...body } = greedy;
    const extended = await clipOf({ ...body, clip: first });
    deepStrictEqual(extended.clip, clip);
  }
});

Deno.test("A clip keeps only the last context_frames of what is given", async () => {
  const { clip } = await clipOf(small);
  const body = { ...small, temperature: 0, "context_frames": 1 };
  const last = { ...clip, frames: 1, codes: clip.codes.slice(-1) };
  deepStrictEqual(
    (await clipOf({ ...body, clip })).clip,
    (await clipOf({ ...body, clip: last })).clip,
  );
});

Deno.test("A clip continues pictures and animations as it continues their codes", async () => {
  const drawn = await clipOf(small);
  const file = `data:image/apng;base64,${drawn.b64_json}`;
  const more = { ...small, temperature: 0, frames: 5 };
  const encoded = await server.app.request(
    "/v1/tokenize",
    json({ image: file, "frames_per_code": 1, resize: "none" }),
  );
  const { clip } = await encoded.json();
  strictEqual(clip.frames_per_code, 1);
  const { clip: fromCodes } = await clipOf({ ...more, clip });
  deepStrictEqual((await clipOf({ ...more, context: [file] })).clip, fromCodes);
});

Deno.test("Events of a clip are its rows by frame, its frames and the clip", async () => {
  const body = { ...small, preview: true, logprobs: 1 };
  const answer = await generate(body, "text/event-stream");
  const events = parseEvents(await answer.text());
  deepStrictEqual(events.map(({ event }) => event), [
    "queued",
    "started",
    ...[...Array(3)].flatMap(() => ["row", "row", "frame"]),
    "clip",
    "completed",
  ]);
  const started = events[1]!.data as Record<string, unknown>;
  deepStrictEqual(
    [started.rows, started.grid, started.frames, started.given, started.fps],
    [6, { height: 2, width: 3 }, 3, 0, 5],
  );
  const rows = events.filter(({ event }) => event === "row")
    .map(({ data }) =>
      data as { frame: number; index: number; codes: number[] }
    );
  deepStrictEqual(
    rows.map(({ frame, index }) => [frame, index]),
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]],
  );
  // deno-lint-ignore no-explicit-any
  const last = events.at(-1)!.data as any;
  deepStrictEqual(
    rows.map(({ codes }) => codes),
    last.clips[0].clip.codes.flat(),
  );
  strictEqual(last.clips[0].rows.length, 6);
  // deno-lint-ignore no-explicit-any
  const [frame] = events.filter(({ event }) => event === "frame") as any[];
  deepStrictEqual(
    frame.data.previews.map(({ height, width }: never) => [height, width]),
    [[16, 24]],
  );
});

Deno.test("Bare answers of a clip are its file, or its codes frame by frame", async () => {
  const { clip } = await clipOf(small);
  for (const type of ["image/apng", "image/gif", "application/zip"]) {
    const answer = await generate(small, type);
    strictEqual(answer.headers.get("content-type"), type);
    strictEqual(answer.headers.get("x-grid-frames"), "3");
    await answer.body?.cancel();
  }
  const answer = await generate(small, "application/x-npy");
  strictEqual(answer.headers.get("x-grid-frames-per-code"), "1");
  const { shape, values } = readNpy(await answer.bytes(), 100);
  deepStrictEqual([...shape], [3, 2, 3]);
  deepStrictEqual([...values], clip.codes.flat(2));
});

Deno.test("POST /v1/detokenize decodes the codes of stills that a clip has", async () => {
  const { clip, b64_json: base64 } = await clipOf(small);
  const answer = await server.app.request(
    "/v1/detokenize",
    json({ clip }, { accept: "image/apng" }),
  );
  const header = readHeader(await answer.bytes());
  deepStrictEqual(
    [header.frames, header.height, header.width],
    [3, 16, 24],
  );
  const options = { decode: "display", maxPixels: 2 ** 20, maxFrames: 8 };
  strictEqual(
    (await decodeFrames(Uint8Array.fromBase64(base64), {
      ...options,
      decode: "display",
    })).length,
    3,
  );
});

Deno.test("POST /v1/generate marks an MP4 as generated, unless metadata is false", async () => {
  using folder = temporaryFolder();
  const path = folder.write(
    "ffmpeg",
    `#!/bin/sh\ncase "$*" in *-encoders) echo " V....D libx264 ";; *) cat;; esac\n`,
  );
  await Deno.chmod(path, 0o755);
  const folders = foldersOf(whole.model);
  await using other = await openTinyServer({ folders, ffmpeg: path });
  for (const metadata of [true, false]) {
    const request = json({ ...small, metadata }, { accept: "video/mp4" });
    const answer = await other.app.request("/v1/generate", request);
    strictEqual(answer.headers.get("content-type"), "video/mp4");
    const text = new TextDecoder("latin1").decode(await answer.bytes());
    strictEqual(text.includes("trainedAlgorithmicMedia"), metadata);
  }
});

Deno.test("A clip in the paper's form has four frames of pixels per frame of codes", async () => {
  await using other = await openTinyServer({ folders: foldersOf(paper.model) });
  const ask = async (body: object) => {
    const request = json({ ...small, temperature: 0, ...body });
    const answer = await other.app.request("/v1/generate", request);
    const fields = await answer.json();
    strictEqual(answer.status, 200, JSON.stringify(fields));
    return fields.clips[0];
  };
  const { clip, frames } = await ask({ frames: 8 });
  strictEqual(frames, 8);
  strictEqual(clip.frames, 2);
  strictEqual(clip.frames_per_code, undefined);
  const extended = await ask({
    frames: 8,
    clip: { codes: clip.codes.slice(0, 1) },
  });
  deepStrictEqual(extended.clip, clip);
  const odd = await other.app.request(
    "/v1/generate",
    json({ ...small, frames: 6 }),
  );
  strictEqual(odd.status, 422);
  match((await odd.json()).detail, /\/frames: expected a multiple of 4/);
});

const GIVEN = { codes: [[[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]]] };

/** Bodies that are refused, with the start of the reason. */
const REFUSED: readonly (readonly [object, RegExp])[] = [
  [{ prefix: { codes: [[1]] } }, /^\/prefix: omit it: clip holds/],
  [{ keep: { codes: [[1]] } }, /^\/(keep|height)/],
  [{ frames: 25 }, /^\/frames: expected at most 24/],
  [{ frames: 0 }, /^\/frames/],
  [{ frames: 1_000_000 }, /^\/frames/],
  [{ fps: 0 }, /^\/fps: expected more than 0/],
  [{ strategy: "zipar" }, /^\/strategy: zipar draws images/],
  [{ output_format: "png" }, /^\/output_format: png is a format of images/],
  [{ output_format: "mp4" }, /^\/output_format: this server makes no MP4/],
  [{ frames: 1, output_format: "gif" }, /^\/output_format: gif is a format of/],
  [{ frames: 2, clip: GIVEN }, /^\/frames: expected more than 2/],
  [{ clip: GIVEN, context_frames: 3 }, /^\/context_frames: expected at most 2/],
  [{ clip: { codes: [[[1]]] } }, /^\/clip: expected frames of 2 × 3 codes/],
  [{ clip: { codes: [[[99_999]]] } }, /^\/clip\/codes/],
  [
    { clip: { ...GIVEN, frames_per_code: 4 } },
    /^\/clip\/frames_per_code: expected 1/,
  ],
  [
    { clip: { codes: [[[1, 2]], [[1], [2]]] } },
    /^\/clip\/codes\/1: expected 1 rows of 2 codes/,
  ],
  [{ clip: GIVEN, context: ["AAAA"] }, /^\/context: omit it/],
  [{ context: [] }, /^\/context/],
  [{ context: ["!"] }, /^\/context\/0: expected a data URL/],
  [{ model: "emu3-tiny" }, /^\/frames: emu3-tiny draws images only/],
  [
    { height: 80, width: 800, frames: 24 },
    /^\/frames: 24 frames are \d+ tokens/,
  ],
];

for (const [body, reason] of REFUSED) {
  Deno.test(`POST /v1/generate refuses a clip with ${JSON.stringify(body)}`, async () => {
    const answer = await generate({ ...small, ...body });
    const { detail } = await answer.json();
    strictEqual(answer.status, 422, detail);
    match(detail.replace("Cannot use request: ", ""), reason);
  });
}

Deno.test("A default length of clips that is no whole number of codes is refused when the model opens", async () => {
  const settings = { "video_format": "paper", "video_frames": 6 };
  using odd = clipFolder("tiny-odd", settings);
  await using fresh = await openTinyServer({ folders: foldersOf(odd.model) });
  const answer = await fresh.app.request("/v1/generate", json(small));
  strictEqual(answer.status, 503);
  const { detail } = await answer.json();
  match(detail, /video_frames is 6 .*multiple of 4, the frames per frame/);
});

Deno.test("POST /v1/generate refuses several clips in one file, and files of the other kind", async () => {
  const several = await generate({ ...small, n: 2 }, "image/apng");
  strictEqual(several.status, 422);
  for (
    const [accept, frames] of [["image/png", 3], ["image/apng", 1]] as const
  ) {
    const answer = await generate({ ...small, frames }, accept);
    strictEqual(answer.status, 406);
    await answer.body?.cancel();
  }
  await several.body?.cancel();
});

Deno.test("Clips of one request draw from streams of the seed, the first as alone", async () => {
  const answer = await generate({ ...small, n: 2 });
  const { clips } = await answer.json();
  const alone = await clipOf(small);
  deepStrictEqual(clips[0].clip, alone.clip);
  ok(JSON.stringify(clips[1].clip) !== JSON.stringify(alone.clip));
});
