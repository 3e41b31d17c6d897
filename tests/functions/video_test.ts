/** Videos as input, of a script in place of ffmpeg. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  DESCRIPTION,
  fakeFfmpeg,
  MP4,
  printFrames,
} from "../support/fake_ffmpeg.ts";
import { encodePng } from "../../lib/image/encode_png.ts";
import {
  bytes,
  json,
  openTinyServer,
  type TinyServer,
} from "../support/tiny_server.ts";

const program = await fakeFfmpeg();
const server = await openTinyServer({ ffmpeg: program.path });
const without = await openTinyServer();
globalThis.addEventListener("unload", async () => {
  await server[Symbol.asyncDispose]();
  await without[Symbol.asyncDispose]();
  program[Symbol.dispose]();
});

function post(
  path: string,
  init: RequestInit = bytes(MP4, "video/mp4"),
  { app }: TinyServer = server,
): Promise<Response> {
  return Promise.resolve(app.request(`/v1/${path}`, init));
}

/** Asserts that a request is refused. */
async function refused(
  answer: Promise<Response>,
  status: number,
  detail: RegExp,
): Promise<void> {
  const body = await (await answer).json();
  strictEqual(body.status, status, JSON.stringify(body));
  match(body.detail, detail);
}

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAUElEQVR42mP49aGCpohh1IJRC+hjwR0NDVyIChbgMZ0YOxgoMZoYawbOApJMx2MHA7VMx2XHqAWjFoxaMGA5eVgUdvSoD+hUo422KkYtIIQAvSgXIyZcYAUAAAAASUVORK5CYII=";

Deno.test("POST /v1/tokenize encodes a video as it encodes its frames", async () => {
  program.change({});
  const bare = await (await post("tokenize")).json();
  deepStrictEqual(bare.source, { height: 32, width: 48 });
  strictEqual(bare.fps, 4);
  const frames = [1, 2, 3, 4].map((level) =>
    encodePng({
      height: 32,
      width: 48,
      pixels: new Uint8ClampedArray(3 * 32 * 48).fill(level),
    }, {}).toBase64()
  );
  const stills = await (await post("tokenize", json({ frames }))).json();
  deepStrictEqual(bare.clip, stills.clip);
  const form = new FormData();
  form.set("image", new File([MP4], "video.mp4"));
  for (
    const init of [
      json({ image: MP4.toBase64() }),
      json({ image: `data:video/mp4;base64,${MP4.toBase64()}` }),
      { method: "POST", body: form },
    ]
  ) {
    deepStrictEqual(await (await post("tokenize", init)).json(), bare);
  }
  const npy = await post(
    "tokenize",
    bytes(MP4, "video/mp4", { accept: "application/x-npy" }),
  );
  strictEqual(npy.headers.get("x-grid-frames"), "1");
});

Deno.test("POST /v1/tokenize reads the part that is asked for", async () => {
  program.change({});
  const answer = await post("tokenize?fps=2.5&start=0.5&end=1.75");
  strictEqual((await answer.json()).fps, 2.5);
  match(
    program.calls().at(-1)!,
    / -ss 0.500000 -t 1.250000 .* -frames:v 257 -vf fps=2.500000:/,
  );
});

Deno.test("POST /v1/tokenize completes the last group of a video's frames, or leaves it out", async () => {
  program.change({ decode: printFrames(6) });
  const frames = async (query: string) => {
    const answer = await post(`tokenize${query}`);
    return (await answer.json()).clip.frames;
  };
  strictEqual(await frames(""), 1);
  strictEqual(await frames("?pad=repeat"), 2);
});

Deno.test("POST /v1/tokenize refuses a part with too few frames", async () => {
  program.change({ decode: printFrames(3) });
  const answer = post("tokenize");
  await refused(
    answer,
    422,
    /\/image: .* fewer than 4 frames: set a higher fps/,
  );
});

Deno.test("POST /v1/tokenize refuses fields that do not suit the video", async () => {
  program.change({});
  const cases: [query: string, status: number, detail: RegExp][] = [
    ["fps=0", 422, /\/fps/],
    ["fps=-1", 422, /\/fps/],
    ["fps=121", 422, /\/fps/],
    ["fps=NaN", 422, /\/fps/],
    ["start=-1", 422, /\/start/],
    ["start=1&end=1", 422, /\/end: expected a time after start/],
    ["start=2", 422, /\/start: the video ends at 2 s/],
    ["end=0", 422, /\/end/],
    ["end=1e300", 422, /\/end/],
    ["video_frames=2", 422, /\/video_frames: cannot be combined with image/],
  ];
  for (const [query, status, detail] of cases) {
    await refused(post(`tokenize?${query}`), status, detail);
  }
});

Deno.test("POST /v1/tokenize refuses a million frames before one is decoded", async () => {
  program.change({
    description: DESCRIPTION.replace("00:00:02", "99:59:59"),
    decode: "exit 1",
  });
  const answer = post("tokenize");
  await refused(
    answer,
    413,
    /has about 14399\d\d frames at 4 frames per second/,
  );
  strictEqual(program.calls().length, 1);
});

Deno.test("POST /v1/tokenize requires a rate that the video does not state", async () => {
  program.change({
    description: DESCRIPTION.replace("4 fps, 4 tbr, ", ""),
  });
  const answer = post("tokenize");
  await refused(
    answer,
    422,
    /\/fps: is required: the video states no frame rate/,
  );
  strictEqual((await post("tokenize?fps=1")).status, 200);
});

Deno.test("POST /v1/tokenize refuses a video among other frames, and its fields for pictures", async () => {
  program.change({});
  const video = MP4.toBase64();
  await refused(
    post("tokenize", json({ frames: [PNG, video] })),
    422,
    /\/frames: expected pictures; send a video alone/,
  );
  await refused(
    post("tokenize", json({ image: PNG, fps: 4 })),
    422,
    /\/fps: is for videos only/,
  );
  await refused(
    post("tokenize", json({ frames: [PNG], fps: 4 })),
    422,
    /\/fps: cannot be combined with frames/,
  );
});

Deno.test("POST /v1/tokenize refuses a damaged video, and one of sound alone", async () => {
  program.change({ decode: "exit 1" });
  await refused(
    post("tokenize"),
    415,
    /damaged or truncated/,
  );
  program.change({
    description: DESCRIPTION.replace(
      "Video: h264, yuv420p, 48x32",
      "Audio: aac",
    ),
  });
  await refused(post("tokenize"), 415, /has no video stream/);
  const cut = bytes(MP4.slice(0, 12), "video/mp4");
  await refused(post("tokenize", cut), 415, /the video is truncated/);
});

Deno.test("playlists and texts named as videos are refused without a program", async () => {
  program.change({});
  const texts = [
    "#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/hostname\n",
    "ffconcat version 1.0\nfile /etc/hostname\n",
    '<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>',
    "v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n",
    "a text",
  ];
  for (const text of texts) {
    const init = bytes(text, "video/mp4");
    await refused(post("tokenize", init), 415, /unknown format|SVG/);
  }
  deepStrictEqual(program.calls(), []);
});

for (const path of ["tokenize", "caption"]) {
  Deno.test(`POST /v1/${path} says that the server lacks ffmpeg`, async () => {
    const answer = post(path, undefined, without);
    await refused(answer, 415, /this server has no ffmpeg .* install ffmpeg/);
  });
}

Deno.test("GET /v1/models lists videos for models that encode pictures, with ffmpeg", async () => {
  const readers = async ({ app }: TinyServer) => {
    const { data } = await (await app.request("/v1/models")).json();
    return data.map((model: { capabilities: string[] }) =>
      model.capabilities.includes("videos")
    );
  };
  await using generator = await openTinyServer({
    functions: new Set(["generate"]),
    ffmpeg: program.path,
  });
  deepStrictEqual(await readers(server), [true, true]);
  deepStrictEqual(await readers(without), [false, false]);
  deepStrictEqual(await readers(generator), [false, false]);
});

Deno.test("POST /v1/caption answers about evenly spaced frames of a video", async () => {
  program.change({ decode: printFrames(1) });
  const body = { image: MP4.toBase64(), "max_tokens": 2 };
  const answer = await post("caption", json(body));
  strictEqual(answer.status, 200);
  const some = { ...body, "video_frames": 2, start: 0.5, end: 1.5 };
  const { usage } = await (await post("caption", json(some))).json();
  const times = program.calls().flatMap((line) =>
    / -ss (\S+) /.exec(line)?.[1] ?? []
  );
  deepStrictEqual(times.map(Number), [0, 0.5, 1, 1.5, 0.5, 1]);
  const two = { question: "Please describe the image", image: body.image };
  const tokens = await post(
    "tokenize",
    json({ ...two, "video_frames": 2, start: 0.5, end: 1.5 }),
  );
  strictEqual((await tokens.json()).count, usage.prompt_tokens);
});

Deno.test("POST /v1/caption refuses more frames than a question has pictures, and fields without a video", async () => {
  const cases: [fields: Record<string, unknown>, detail: RegExp][] = [
    [{ image: MP4.toBase64(), "video_frames": 9 }, /\/video_frames/],
    [{ image: MP4.toBase64(), "video_frames": 0 }, /\/video_frames/],
    [{ image: PNG, "video_frames": 2 }, /\/video_frames: is for videos only/],
    [{ image: PNG, start: 1 }, /\/start: is for videos only/],
    [{ images: [PNG, MP4.toBase64()] }, /\/images: .* send a video alone/],
    [{ grid: { codes: [[1]] }, end: 1 }, /\/end: is for videos only/],
  ];
  for (const [fields, detail] of cases) {
    await refused(post("caption", json(fields)), 422, detail);
  }
});

Deno.test("POST /v1/caption requires the end of a video that states no duration", async () => {
  program.change({
    description: DESCRIPTION.replace("00:00:02.00", "N/A"),
    decode: printFrames(1),
  });
  const query = "caption?max_tokens=2";
  await refused(post(query), 422, /\/end: is required/);
  strictEqual((await post(`${query}&end=2`)).status, 200);
});

Deno.test("no file of a video is left", async () => {
  program.change({});
  await post("tokenize");
  await post("tokenize?start=9");
  await post("caption?start=9");
  const files = program.calls().map((line) => /-i file:(\S+)/.exec(line)![1]!);
  for (const file of files) {
    const left = await Deno.stat(file).then(() => true, () => false);
    strictEqual(left, false);
  }
});
